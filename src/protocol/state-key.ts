/** Characters that every store of the host takes in a key; `:` joins and `@` escapes. */
const PLAIN = /[a-zA-Z0-9._-]/;

/**
 * Key of our own record about a collection: `<prefix>/<name>`, or `<prefix>/<namespace>:<name>`. One key per collection: anything
 * else than letters, digits, `.`, `_` and `-` is escaped.
 */
export function stateKey(prefix: string, namespace: string | null, collection: string): string {
  return `${prefix}/${namespace === null ? "" : `${escapeName(namespace)}:`}${escapeName(collection)}`;
}

function escapeName(name: string): string {
  // A name of dots alone would be a path.
  if (/^\.+$/.test(name)) return name.replaceAll(".", "@2e");
  let escaped = "";
  for (const character of name) {
    escaped += PLAIN.test(character) ? character : `@${Buffer.from(character).toString("hex")}`;
  }
  return escaped;
}
