import type { ControlClient } from "../control/control-client.js";
import { readControlTarget } from "../control/control-target.js";
import type { Output } from "../demo/terminal.js";
import { Interrupted, interruptible } from "../interruptible.js";
import { createReport, type Report } from "../report.js";
import { UsageError } from "../usage-error.js";

/** Flags that every command about exports has. */
export const SERVER_FLAGS = { server: "string", token: "string", json: "boolean", help: "boolean" } as const;

/** What a command about exports works with. */
export interface ExportContext {
  readonly client: ControlClient;
  readonly report: Report;
  readonly signal: AbortSignal;
  readonly stdout: NodeJS.WriteStream;
}

/**
 * Runs a command against a server. What it fails with has been told when this resolves.
 * @param quiet as for reports
 * @returns whether all went well
 * @throws UsageError
 */
export async function withServer(
  flags: { readonly server?: string; readonly token?: string; readonly json?: true },
  output: Output,
  command: (context: ExportContext) => Promise<boolean>,
  quiet = false,
): Promise<boolean> {
  const target = readControlTarget(flags, process.env);
  const report = createReport(output, { json: flags.json === true, quiet });
  // Not for `--help`, nor for wrong usage: what speaks HTTP takes a while to load.
  const { createControlClient } = await import("../control/control-client.js");
  const client = createControlClient(target);
  try {
    if (target.warning !== null) {
      report.note(`starfish-replica: warning: ${target.warning}`, { event: "warning", message: target.warning });
    }
    return await interruptible((signal) => command({ client, report, signal, stdout: output.stdout }));
  } catch (error) {
    if (error instanceof UsageError) throw error;
    if (error instanceof Interrupted) report.end();
    else report.failure(error);
    return false;
  } finally {
    await client.close();
  }
}
