/**
 * The statement with what ends it. Its text is what SQLite keeps of it, so making it again keeps the same.
 */
export function statement(sql: Buffer): Buffer {
  const text = sql.toString("latin1");
  return Buffer.from(`${forShell(text)}${endOf(text)};\n`, "latin1");
}

/**
 * Source text whose line ends the shell leaves as they are: of a carriage return and line feed it drops the former, also within
 * names and literals, so it gets two.
 */
export function forShell(text: string): string {
  return text.replaceAll("\r\n", "\r\r\n");
}

/** What must stand before the semicolon lest a comment at the end swallow it. */
function endOf(text: string): string {
  const pattern = /'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]|--[^\n]*\n?|\/\*[\s\S]*?(?:\*\/|$)/g;
  let last = "";
  for (const [token] of text.matchAll(pattern)) last = token;
  if (!text.endsWith(last)) return "";
  if (last.startsWith("--") && !last.endsWith("\n")) return "\n";
  return last.startsWith("/*") && !/^\/\*[\s\S]*\*\/$/.test(last) ? "*/" : "";
}
