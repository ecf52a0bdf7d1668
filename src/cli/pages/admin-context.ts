import type { Client } from "@connectrpc/connect";
import type { AdminService } from "../../pages/admin/gen/edgereplica/admin/v1/admin_pb.js";
import { CliError } from "../cli-error.js";
import { isInTheOpen, readServerUrl } from "../control/server-url.js";
import type { Output } from "../demo/terminal.js";
import { Interrupted, interruptible } from "../interruptible.js";
import { createReport, type Report } from "../report.js";
import { UsageError } from "../usage-error.js";
import { explainConnectError, isUnauthenticated } from "./connect-error.js";
import { createSessionFile, type SessionFile } from "./session-file.js";

/** Flags that every command at a page server has. */
export const PAGE_FLAGS = { server: "string", json: "boolean", help: "boolean" } as const;

/** What a command at the admin service works with. */
export interface AdminContext {
  readonly server: string;
  readonly admin: Client<typeof AdminService>;
  readonly session: SessionFile;
  readonly report: Report;
  readonly signal: AbortSignal;
  /** The header that this user's login at the server gives. @throws CliError where there is none */
  authorized(): Promise<{ readonly headers: Record<string, string>; readonly signal: AbortSignal }>;
}

/**
 * Runs a command against the admin service of a page server. What it fails with has been told when this resolves.
 * @returns whether all went well
 * @throws UsageError
 */
export async function withAdmin(
  flags: { readonly server?: string; readonly json?: true },
  output: Output,
  command: (context: AdminContext) => Promise<void>,
): Promise<boolean> {
  const server = readServerUrl(flags.server, process.env);
  const report = createReport(output, { json: flags.json === true });
  const session = createSessionFile(server, process.env);
  if (isInTheOpen(server)) {
    const message = `what lets you in goes to ${new URL(server).host} unencrypted, where others may read it: use https://`;
    report.note(`starfish-replica: warning: ${message}`, { event: "warning", message });
  }
  let isAuthorized = false;
  try {
    const admin = await createAdminClient(server);
    await interruptible(async (signal) => {
      const authorized = async () => {
        const headers = await authorization(session, server);
        isAuthorized = true;
        return { headers, signal };
      };
      await command({ server, admin, session, report, signal, authorized });
    });
    return true;
  } catch (error) {
    if (error instanceof UsageError) throw error;
    if (error instanceof Interrupted) report.note("Stopped.", { event: "interrupted" });
    else report.failure(explained(error, server, isAuthorized));
    return false;
  }
}

/** @param isAuthorized whether the server was shown a login: then it is that which it refuses */
function explained(error: unknown, server: string, isAuthorized: boolean): unknown {
  if (!isAuthorized || !isUnauthenticated(error)) return explainConnectError(error, server);
  return new CliError("UNAUTHENTICATED", `the login at ${server} is not valid any more`, {
    hint: "Log in again with: starfish-replica login EMAIL",
    cause: error,
  });
}

/** Not for `--help`, nor for wrong usage: what speaks HTTP takes a while to load. */
async function createAdminClient(server: string): Promise<Client<typeof AdminService>> {
  const [{ createClient }, { createConnectTransport }, { AdminService: service }] = await Promise.all([
    import("@connectrpc/connect"),
    import("@connectrpc/connect-node"),
    import("../../pages/admin/gen/edgereplica/admin/v1/admin_pb.js"),
  ]);
  return createClient(
    service,
    createConnectTransport({ baseUrl: server, httpVersion: "1.1", defaultTimeoutMs: 60_000 }),
  );
}

async function authorization(file: SessionFile, server: string): Promise<Record<string, string>> {
  const session = await file.read();
  if (session !== null) return { Authorization: `Bearer ${session.token}` };
  throw new CliError("NOT_LOGGED_IN", `nobody is logged in at ${server}`, {
    hint: "Log in with: starfish-replica login EMAIL",
  });
}
