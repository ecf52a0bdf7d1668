import { suggestion } from "../../config/nearest-name.js";
import { type Database, Direction } from "../../pages/admin/gen/edgereplica/admin/v1/admin_pb.js";
import { CliError } from "../cli-error.js";
import type { Output } from "../demo/terminal.js";
import { parseCommandLine, parseFlags } from "../parse-flags.js";
import { printable } from "../printable.js";
import { UsageError } from "../usage-error.js";
import { PAGE_FLAGS, withAdmin } from "./admin-context.js";
import { isToken } from "./is-token.js";
import type { PageRun } from "./page-run.js";

const DIRECTIONS = { push: Direction.PUSH, pull: Direction.PULL } as const;

/** `db create NAME`, `db list`, `db delete ID` and `db token ID`. */
export const DB_COMMANDS: Readonly<Record<string, PageRun>> = { create, list, delete: remove, token };

async function create(args: readonly string[], output: Output): Promise<boolean> {
  const { flags, operands } = parseCommandLine(args, PAGE_FLAGS, { maxOperands: 1 });
  const name = operandOf(operands, "NAME");
  return await withAdmin(flags, output, async ({ admin, report, authorized }) => {
    const database = await admin.createDatabase({ name }, await authorized());
    report.result(printable(database.id), shown(database));
  });
}

async function list(args: readonly string[], output: Output): Promise<boolean> {
  const flags = parseFlags(args, PAGE_FLAGS);
  return await withAdmin(flags, output, async ({ admin, report, authorized }) => {
    const { databases } = await admin.listDatabases({}, await authorized());
    if (report.json) report.result("", { databases: databases.map(shown) });
    for (const { id, name } of report.json ? [] : databases)
      report.result(`${printable(id)}\t${printable(name)}`, null);
    if (databases.length === 0) {
      report.note("There is no database yet: starfish-replica db create NAME", { event: "empty" });
    }
  });
}

async function remove(args: readonly string[], output: Output): Promise<boolean> {
  const { flags, operands } = parseCommandLine(args, PAGE_FLAGS, { maxOperands: 1 });
  const databaseId = operandOf(operands, "ID");
  return await withAdmin(flags, output, async ({ admin, report, authorized }) => {
    await admin.deleteDatabase({ databaseId }, await authorized());
    report.result(`Deleted ${printable(databaseId)}`, { deleted: databaseId });
  });
}

async function token(args: readonly string[], output: Output): Promise<boolean> {
  const types = { ...PAGE_FLAGS, direction: "string", "ttl-seconds": "string" } as const;
  const { flags, operands } = parseCommandLine(args, types, { maxOperands: 1 });
  const databaseId = operandOf(operands, "ID");
  const direction = directionOf(flags.direction);
  const ttlSeconds = secondsOf(flags["ttl-seconds"]);
  return await withAdmin(flags, output, async ({ admin, server, report, authorized }) => {
    const request = { databaseId, direction: DIRECTIONS[direction], ttlSeconds };
    const answer = await admin.issueSyncToken(request, await authorized());
    if (!isToken(answer.token)) throw new CliError("ANSWER_INVALID", `${server} gave no token that can be used`);
    const expiresAt = timeOf(answer.expUnix);
    report.result(answer.token, { token: answer.token, expiresAt, databaseId, direction });
  });
}

function operandOf([operand = ""]: readonly string[], what: string): string {
  if (operand.trim() === "") throw new UsageError(`which ${what}?`);
  return operand;
}

function directionOf(text: string | undefined): keyof typeof DIRECTIONS {
  if (text === undefined) throw new UsageError("--direction push or --direction pull?");
  if (Object.hasOwn(DIRECTIONS, text)) return text as keyof typeof DIRECTIONS;
  throw new UsageError(`--direction "${text}" is unknown: ${suggestion(text, Object.keys(DIRECTIONS))}`);
}

/** 0, which lets the server choose, where nothing is given. */
function secondsOf(text: string | undefined): bigint {
  if (text === undefined) return 0n;
  if (/^[1-9]\d{0,11}$/.test(text)) return BigInt(text);
  throw new UsageError(`--ttl-seconds must be a whole number of seconds, at least 1, got "${text}"`);
}

function shown({ id, orgId, name, createdAtUnix }: Database): Record<string, string | null> {
  return { id, name, orgId, createdAt: timeOf(createdAtUnix) };
}

/** `null` for what no date can be: the server may say anything in 64 bits. */
function timeOf(unixSeconds: bigint): string | null {
  const time = new Date(Number(unixSeconds) * 1_000);
  return Number.isNaN(time.getTime()) ? null : time.toISOString();
}
