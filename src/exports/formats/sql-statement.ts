/**
 * The statement with what ends it. Its text is what SQLite keeps of it, so making it again keeps the same.
 */
export function statement(sql: Buffer): Buffer {
  const text = sql.toString("latin1");
  // A comment at the end would swallow the semicolon.
  const end = text.slice(text.lastIndexOf("\n") + 1).includes("--") ? "\n;\n" : ";\n";
  return Buffer.from(forShell(text) + end, "latin1");
}

/**
 * Source text whose line ends the shell leaves as they are: of a carriage return and line feed it drops the former, also within
 * names and literals, so it gets two.
 */
export function forShell(text: string): string {
  return text.replaceAll("\r\n", "\r\r\n");
}
