import { chmod, mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, isAbsolute, join } from "node:path";
import { CliError } from "../cli-error.js";

/** A login at a page server. */
export interface StoredSession {
  readonly token: string;
  readonly email: string;
}

/** The logins of this user, one per server. */
export interface SessionFile {
  readonly path: string;
  /** `null` where there is none. @throws CliError where the file cannot be read */
  read(server: string): Promise<StoredSession | null>;
  /** Replaces the login at this server. The file is readable by its user alone. */
  write(server: string, session: StoredSession): Promise<void>;
}

type Sessions = Readonly<Record<string, StoredSession>>;

/** `starfish-replica/sessions.json` in the user's config folder. https://specifications.freedesktop.org/basedir-spec/latest/ */
export function createSessionFile(env: Readonly<Record<string, string | undefined>>): SessionFile {
  const path = join(configFolder(env), "starfish-replica", "sessions.json");
  return {
    path,
    async read(server) {
      const sessions = await readSessions(path);
      return Object.hasOwn(sessions, server) ? (sessions[server] ?? null) : null;
    },
    async write(server, session) {
      const sessions = { ...(await readSessions(path)), [server]: session };
      try {
        await replaceFile(path, `${JSON.stringify(sessions, null, 2)}\n`);
      } catch (error) {
        throw unusable(path, "cannot be written", error);
      }
    },
  };
}

/** A relative `XDG_CONFIG_HOME` is to be ignored, says the specification. */
function configFolder({ XDG_CONFIG_HOME, APPDATA }: Readonly<Record<string, string | undefined>>): string {
  if (XDG_CONFIG_HOME !== undefined && isAbsolute(XDG_CONFIG_HOME)) return XDG_CONFIG_HOME;
  if (process.platform === "win32" && APPDATA !== undefined) return APPDATA;
  return join(homedir(), ".config");
}

async function readSessions(path: string): Promise<Sessions> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return {};
    throw unusable(path, "cannot be read", error);
  }
  try {
    const value: unknown = JSON.parse(text);
    if (isObject(value) && Object.values(value).every(isSession)) return value as Sessions;
  } catch {
    // Said below.
  }
  throw unusable(path, "is not as this program writes it");
}

async function replaceFile(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const unfinished = `${path}.${process.pid}`;
  const file = await open(unfinished, "w", 0o600);
  try {
    // One that a crash has left may have been anybody's to read.
    await chmod(unfinished, 0o600);
    await file.writeFile(text);
    await file.sync();
    await file.close();
    await rename(unfinished, path);
  } catch (error) {
    await file.close().catch(() => {});
    await rm(unfinished, { force: true });
    throw error;
  }
}

function unusable(path: string, what: string, cause?: unknown): CliError {
  return new CliError("SESSION_FILE", `${path}, which keeps logins, ${what}`, {
    hint: "Mend or remove it, and log in again.",
    cause,
  });
}

function isSession(value: unknown): value is StoredSession {
  return isObject(value) && typeof value.token === "string" && typeof value.email === "string";
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
