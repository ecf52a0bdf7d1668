/** Names, quoted things and single characters, without comments. */
export function sqlTokens(sql: string): string[] {
  const pattern =
    /--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|\s+|('(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]|[\w$\u0080-\u{10ffff}]+|.)/gu;
  return [...sql.matchAll(pattern)].flatMap((match) => (match[1] === undefined ? [] : [match[1]]));
}
