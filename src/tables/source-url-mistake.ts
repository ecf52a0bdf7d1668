import { resolve } from "node:path";
import { showValue } from "../config/show-value.js";
import { parseSourceUrl } from "./sources/postgres/source-url.js";

const SUPPORTED = 'supported are "postgres://user:password@host/database", "postgresql://..." and "sqlite:PATH"';

/** What is wrong with the URL of a source, or `null`. It may hold a password and is never shown. */
export function sourceUrlMistake(url: unknown, database: unknown): string | null {
  if (typeof url !== "string") return `must be a URL, got ${showValue(url)}: ${SUPPORTED}`;
  if (/^sqlite:/.test(url)) return sqliteMistake(url.slice("sqlite:".length), database);
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(url)?.[1];
  if (scheme === undefined) return `must be a URL: ${SUPPORTED}`;
  if (scheme !== "postgres" && scheme !== "postgresql") return `${scheme}:// is not supported yet: ${SUPPORTED}`;
  if (parseSourceUrl(url) === null)
    return "is no URL that can be read: write special characters of user and password percent-encoded, such as %40 for @";
  return null;
}

function sqliteMistake(path: string, database: unknown): string | null {
  if (path === "" || path === ":memory:" || path.includes("\0"))
    return 'must name a file after "sqlite:", for instance "sqlite:./data/shop.db"';
  if (typeof database === "string" && database !== "" && resolve(path) === resolve(database))
    return "is the local file itself (`database`): give the copy a file of its own";
  return null;
}
