import { createHash } from "node:crypto";
import { chmod, mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, isAbsolute, join } from "node:path";
import { CliError } from "../cli-error.js";

/** A login at a page server. */
export interface StoredSession {
  readonly token: string;
  readonly email: string;
}

/** The login of this user at one server. A file of its own: logins at two servers at once do not undo each other. */
export interface SessionFile {
  readonly path: string;
  /** `null` where there is none. @throws CliError where the file cannot be read */
  read(): Promise<StoredSession | null>;
  /** Replaces the login, whatever was there. The file is readable by its user alone. @throws CliError */
  write(session: StoredSession): Promise<void>;
}

/**
 * `starfish-replica/sessions/<host>-<hash of the URL>.json` in the user's config folder.
 * https://specifications.freedesktop.org/basedir-spec/latest/
 */
export function createSessionFile(server: string, env: Readonly<Record<string, string | undefined>>): SessionFile {
  const path = join(configFolder(env), "starfish-replica", "sessions", fileName(server));
  return {
    path,
    read: () => readSession(path, server),
    async write({ token, email }) {
      try {
        await replaceFile(path, `${JSON.stringify({ server, email, token }, null, 2)}\n`);
      } catch (error) {
        throw unusable(path, "cannot be written", error);
      }
    },
  };
}

/** The host for people who look, the hash for all the rest: ports and paths make other servers. */
function fileName(server: string): string {
  const host = new URL(server).hostname.replace(/[^a-z0-9.-]/g, "_").slice(0, 100);
  return `${host}-${createHash("sha256").update(server).digest("hex").slice(0, 16)}.json`;
}

/** A relative `XDG_CONFIG_HOME` is to be ignored, says the specification. */
function configFolder({ XDG_CONFIG_HOME, APPDATA }: Readonly<Record<string, string | undefined>>): string {
  if (XDG_CONFIG_HOME !== undefined && isAbsolute(XDG_CONFIG_HOME)) return XDG_CONFIG_HOME;
  if (process.platform === "win32" && APPDATA !== undefined) return APPDATA;
  return join(homedir(), ".config");
}

async function readSession(path: string, server: string): Promise<StoredSession | null> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw unusable(path, "cannot be read", error);
  }
  try {
    const value: unknown = JSON.parse(text);
    if (isSession(value) && value.server === server) return value;
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
  return new CliError("SESSION_FILE", `${path}, which keeps a login, ${what}`, {
    hint: "Mend or remove it, and log in again.",
    cause,
  });
}

function isSession(value: unknown): value is StoredSession & { readonly server: string } {
  if (typeof value !== "object" || value === null) return false;
  const { server, token, email } = value as Readonly<Record<string, unknown>>;
  return [server, token, email].every((field) => typeof field === "string");
}
