/**
 * Whether a cap-cert's `scope.paths` cover a storage key, by the host's rules (starfish-server, `matchScopePath`; it does not export
 * them): `*` is any run without `/`, `**` any run, `!` denies, also everything below. No paths cover everything.
 */
export function coversKey(scopePaths: readonly string[] | undefined, key: string): boolean {
  if (scopePaths === undefined || scopePaths.length === 0) return true;
  const path = key
    .split("/")
    .map(decodeSegment)
    .filter((segment) => segment !== "" && segment !== ".")
    .join("/");
  const denied = scopePaths.some(
    (rule) => rule.startsWith("!") && (matchGlob(rule.slice(1), path) || matchGlob(`${rule.slice(1)}/**`, path)),
  );
  return !denied && scopePaths.some((rule) => !rule.startsWith("!") && matchGlob(rule, path));
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/**
 * The host's match, which goes back to the last star alone: it finds less than a regular expression would (`**` before a `*`), and what it
 * does not find is not let in. No compiled pattern: it is a caller's, and one could be made to take for ever.
 */
function matchGlob(glob: string, path: string): boolean {
  const tokens = glob.match(/\*\*|[\s\S]/g) ?? [];
  let at = 0;
  let token = 0;
  let star: { readonly token: number; from: number } | null = null;
  while (at < path.length) {
    const wanted = tokens[token];
    if (wanted === "*" || wanted === "**") {
      star = { token, from: at };
      token += 1;
    } else if (wanted !== undefined && wanted === path[at]) {
      token += 1;
      at += 1;
    } else {
      if (star === null || (tokens[star.token] === "*" && path[star.from] === "/")) return false;
      star.from += 1;
      at = star.from;
      token = star.token + 1;
    }
  }
  return tokens.slice(token).every((rest) => rest === "*" || rest === "**");
}
