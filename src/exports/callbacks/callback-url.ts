import { isIP } from "node:net";
import { addressKind, mayGoTo } from "./public-address.js";

/** As much as every server and proxy takes. */
const MAX_URL_LENGTH = 2_048;

/** Names that lead to this machine or network wherever they are looked up. RFC 6761, RFC 6762, RFC 8375; `internal` is ICANN's. */
const PRIVATE_SUFFIXES = [
  "localhost",
  "local",
  "internal",
  "home.arpa",
  "localdomain",
  "lan",
  "intranet",
  "corp",
  "home",
];

export interface CallbackUrlRules {
  /** Lets a URL lead to this machine or its network, and be `http:`. */
  readonly allowPrivate: boolean;
}

/**
 * What is wrong with a callback's URL, as a sentence that goes on after the field's name; `null` where it may be called as far as the URL itself
 * tells: where its name leads is seen when it is called. Only `https:` unless private addresses are allowed, since a body that anybody on the way
 * reads and a receiver that nobody has proven are no callback; a receiver on the own machine seldom has a certificate. Shows no more than the host.
 */
export function callbackUrlMistake(url: unknown, { allowPrivate }: CallbackUrlRules): string | null {
  if (typeof url !== "string") return "must be a URL as text";
  if (url.length > MAX_URL_LENGTH) return `must be at most ${MAX_URL_LENGTH} characters long, and has ${url.length}`;
  // URL parsers pass over some of these, each in its own way.
  if (/[\p{Cc}\s\\]/u.test(url)) return "must be a URL without blanks, control characters and backslashes";
  const parsed = URL.canParse(url) ? new URL(url) : null;
  const schemes = allowPrivate ? "https:// or http://" : "https://";
  if (parsed === null) return `must be an absolute URL that begins with ${schemes}`;
  const plain = parsed.protocol === "http:";
  if (parsed.protocol !== "https:" && !plain) return `must begin with ${schemes}`;
  if (plain && !allowPrivate) return `must begin with ${schemes} (http:// is for callbacks.allowPrivate alone)`;
  if (parsed.username !== "" || parsed.password !== "") return "must hold no user name and no password";
  if (url.includes("#")) return "must hold no fragment (#)";
  if (parsed.port === "0") return "must not name port 0";
  return hostMistake(parsed.hostname, allowPrivate);
}

/** The host of a parsed URL as sockets take it, where it is an IP address; else `null`. */
export function addressLiteral(hostname: string): string | null {
  const bare = hostname.startsWith("[") ? hostname.slice(1, -1) : hostname;
  return isIP(bare) === 0 ? null : bare;
}

function hostMistake(hostname: string, allowPrivate: boolean): string | null {
  // The parser has turned every disguise of an address (decimal, octal, hexadecimal, mapped, full-width digits) into its plain form.
  const literal = addressLiteral(hostname);
  if (literal !== null) {
    if (mayGoTo(literal, allowPrivate)) return null;
    if (addressKind(literal) === "refused") return `must not lead to ${literal}, an address that no callback goes to`;
    return `must not lead to ${literal}, a private address (callbacks.allowPrivate allows it)`;
  }
  const name = hostname.replace(/\.+$/, "");
  if (name === "") return "must name a host";
  if (allowPrivate || !isPrivateName(name)) return null;
  return `must not lead to "${name}", a private name (callbacks.allowPrivate allows it)`;
}

/** A name without a dot is looked up in the own network's domain. */
function isPrivateName(name: string): boolean {
  return !name.includes(".") || PRIVATE_SUFFIXES.some((suffix) => name.endsWith(`.${suffix}`));
}
