/** Where a source is, as its driver and its errors need it. */
export interface SourceUrl {
  /** Names the server and the database, without credentials. */
  readonly where: string;
  /** As `pg` understands it. */
  readonly connectionString: string;
}

/** An empty host after a user is a socket of this machine: drivers understand it, and URLs do not. */
const NO_HOST = /^(postgres(?:ql)?:\/\/[^/?#]*@)\//;
const PLACEHOLDER = "localhost";

/** Reads `postgres://...` or `postgresql://...`; `null` for what cannot be understood. It may hold a password and is never shown. */
export function parseSourceUrl(url: string): SourceUrl | null {
  const complete = url.replace(NO_HOST, `$1${PLACEHOLDER}/`);
  if (!/^postgres(ql)?:\/\//.test(url) || !URL.canParse(complete)) return null;
  const parsed = new URL(complete);
  const { username, password, hostname, pathname, searchParams } = parsed;
  if (![username, password, hostname, pathname].every(isDecodable)) return null;
  const hasHost = complete === url;
  // More likely the rest of a password that holds "@/" than the name of a database.
  if (!hasHost && pathname.includes("@")) return null;
  // Ours is how other copies of this program tell us from writers.
  searchParams.delete("application_name");
  searchParams.delete("fallback_application_name");
  // As the driver does, which lets parameters win.
  const host = searchParams.get("host") || (hasHost && decodeURIComponent(hostname)) || PLACEHOLDER;
  const port = searchParams.get("port") || parsed.port || "5432";
  return {
    where: `PostgreSQL at ${host}:${port}${pathname}`,
    // In user and password "@" is encoded by now.
    connectionString: hasHost ? parsed.href : parsed.href.replace(`@${PLACEHOLDER}/`, "@/"),
  };
}

function isDecodable(part: string): boolean {
  try {
    decodeURIComponent(part);
    return true;
  } catch {
    return false;
  }
}
