import type { Output } from "../demo/terminal.js";
import { parseCommandLine } from "../parse-flags.js";
import { SERVER_FLAGS, withServer } from "./export-context.js";
import { jobOperand } from "./job-operand.js";

/** `export cancel`. */
export async function cancel(args: readonly string[], output: Output): Promise<boolean> {
  const { flags, operands } = parseCommandLine(args, SERVER_FLAGS, { maxOperands: 1 });
  const id = jobOperand(operands);
  return await withServer(flags, output, async ({ client, report, signal }) => {
    await client.ask(`/export/dump/${encodeURIComponent(id)}`, { method: "DELETE", signal });
    report.result(`Job ${id} and its file are gone.`, { id, cancelled: true });
    return true;
  });
}
