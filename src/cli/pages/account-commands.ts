import type { AuthResponse, WhoamiInfo } from "../../pages/admin/gen/edgereplica/admin/v1/admin_pb.js";
import { CliError } from "../cli-error.js";
import type { Output } from "../demo/terminal.js";
import { parseCommandLine, parseFlags } from "../parse-flags.js";
import { printable } from "../printable.js";
import { UsageError } from "../usage-error.js";
import { type AdminContext, PAGE_FLAGS, withAdmin } from "./admin-context.js";
import { isToken } from "./is-token.js";
import type { PageRun } from "./page-run.js";
import { readPassword } from "./read-password.js";

/** `signup EMAIL`, `login EMAIL` and `whoami`. */
export const ACCOUNT_COMMANDS: Readonly<Record<"signup" | "login" | "whoami", PageRun>> = {
  signup: (args, output) => enter("signup", args, output),
  login: (args, output) => enter("login", args, output),
  whoami,
};

/** Keeps the session that the server has given, and says who has it. */
export async function keepSession(context: AdminContext, answer: AuthResponse, what: string): Promise<void> {
  const { session, server, report } = context;
  const { sessionToken: token, whoami: who } = answer;
  if (!isToken(token) || who === undefined) {
    throw new CliError("ANSWER_INVALID", `${server} let us in, but gave no session that can be used`);
  }
  await session.write({ token, email: who.email });
  report.result(`${what} ${printable(who.email)}`, account(who));
}

async function enter(how: "signup" | "login", args: readonly string[], output: Output): Promise<boolean> {
  const { flags, operands } = parseCommandLine(args, PAGE_FLAGS, { maxOperands: 1 });
  const email = operands[0]?.trim() ?? "";
  if (email === "") throw new UsageError("which EMAIL?");
  return await withAdmin(flags, output, async (context) => {
    const { stdin, stderr, env } = process;
    const password = await readPassword({ stdin, stderr, env }, how === "signup", context.signal);
    const answer = await context.admin[how]({ email, password }, { signal: context.signal });
    await keepSession(context, answer, how === "signup" ? "Signed up as" : "Logged in as");
  });
}

async function whoami(args: readonly string[], output: Output): Promise<boolean> {
  const flags = parseFlags(args, PAGE_FLAGS);
  return await withAdmin(flags, output, async ({ admin, report, server, authorized }) => {
    const { whoami: who } = await admin.whoami({}, await authorized());
    if (who === undefined) throw new CliError("ANSWER_INVALID", `${server} does not say who this is`);
    const lines = [
      `${printable(who.email)} (${printable(who.role)})`,
      `user ${printable(who.userId)}`,
      `organisation ${printable(who.orgId)}`,
    ];
    report.result(lines.join("\n"), account(who));
  });
}

function account({ userId, email, orgId, role }: WhoamiInfo): Record<string, string> {
  return { userId, email, orgId, role };
}
