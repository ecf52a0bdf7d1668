/** What the text of a statement tells before SQLite sees it. */
export interface ScannedSql {
  /** The first words in capitals, without comments: `["EXPLAIN", "QUERY", "PLAN"]`. At most four. */
  readonly words: readonly string[];
  /** Something other than spaces and comments follows a semicolon. */
  readonly several: boolean;
  /** Parameters as they stand in the SQL: `?`, `?2`, `:name`. */
  readonly parameters: readonly string[];
}

// One alternative per kind of token, in SQLite's own terms (https://sqlite.org/src/file?name=src/tokenize.c). What has no end ends
// with the text; a doubled quote ends one token and begins the next, which comes to the same here.
const TOKEN =
  /(?<space>[ \t\n\f\r\ufeff]+|--[^\n]*|\/\*[\s\S]*?(?:\*\/|$))|'[^']*(?:'|$)|"[^"]*(?:"|$)|`[^`]*(?:`|$)|\[[^\]]*(?:\]|$)|(?<parameter>\?\d*|[:@$][\w$\u0080-\uffff]+)|(?<word>[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*)|(?<end>;)|[\s\S]/gy;

/** Reads SQL as far as is needed to refuse it in good words. SQLite's own word on whether it writes comes after this one. */
export function scanSql(sql: string): ScannedSql {
  const words: string[] = [];
  const parameters = new Set<string>();
  let anonymous = 0;
  let leading = true;
  let ended = false;
  let several = false;
  for (const { groups } of sql.matchAll(TOKEN)) {
    if (groups?.space !== undefined) continue;
    if (groups?.end !== undefined) {
      // Empty statements in front are none.
      ended = ended || words.length > 0 || !leading;
      continue;
    }
    if (ended) {
      several = true;
      break;
    }
    if (leading && groups?.word !== undefined && words.length < 4) words.push(groups.word.toUpperCase());
    else leading = false;
    if (groups?.parameter === "?") anonymous += 1;
    else if (groups?.parameter !== undefined) parameters.add(groups.parameter);
  }
  return { words, several, parameters: [...new Array<string>(anonymous).fill("?"), ...parameters] };
}
