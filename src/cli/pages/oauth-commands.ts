import { suggestion } from "../../config/nearest-name.js";
import type { Output } from "../demo/terminal.js";
import { parseCommandLine, parseFlags } from "../parse-flags.js";
import { printable } from "../printable.js";
import { UsageError } from "../usage-error.js";
import { keepSession } from "./account-commands.js";
import { PAGE_FLAGS, withAdmin } from "./admin-context.js";
import type { PageRun } from "./page-run.js";

const PROVIDERS = ["github", "google"] as const;

/** `oauth start PROVIDER` and `oauth complete`. */
export const OAUTH_COMMANDS: Readonly<Record<string, PageRun>> = { start, complete };

async function start(args: readonly string[], output: Output): Promise<boolean> {
  const { flags, operands } = parseCommandLine(args, PAGE_FLAGS, { maxOperands: 1 });
  const provider = operands[0] ?? "";
  if (provider === "") throw new UsageError(`which PROVIDER? ${PROVIDERS.join(" or ")}`);
  if (!(PROVIDERS as readonly string[]).includes(provider)) {
    throw new UsageError(`unknown provider "${provider}": ${suggestion(provider, PROVIDERS)}`);
  }
  return await withAdmin(flags, output, async ({ admin, report, signal }) => {
    const { redirectUrl, state } = await admin.startOAuth({ provider }, { signal });
    report.note("Open this in a browser; it shows the command that ends the login:", { event: "started", provider });
    report.result(printable(redirectUrl, 8_000), { redirectUrl, state });
  });
}

async function complete(args: readonly string[], output: Output): Promise<boolean> {
  const flags = parseFlags(args, { ...PAGE_FLAGS, state: "string", code: "string" });
  const { state = "", code = "" } = flags;
  if (state === "" || code === "") throw new UsageError("--state and --code: the page in the browser shows both");
  return await withAdmin(flags, output, async (context) => {
    const answer = await context.admin.completeOAuth({ state, code }, { signal: context.signal });
    await keepSession(context, answer, "Logged in as");
  });
}
