/** Comments, texts and names in quotes of any kind. What has no end ends with the text. */
const OPAQUE = /--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|'[^']*(?:'|$)|"[^"]*(?:"|$)|`[^`]*(?:`|$)|\[[^\]]*(?:\]|$)/g;
/** A reserved word: without quotes it is no name. */
const AUTOINCREMENT = /(?<![\w$\u0080-\uffff])autoincrement(?![\w$\u0080-\uffff])/i;

/**
 * Whether ids of the table only grow: without the word, SQLite gives the largest id a second time when its row has been deleted
 * (https://sqlite.org/autoinc.html).
 * @param createTable the `CREATE TABLE` as `sqlite_schema` keeps it.
 */
export function hasAutoincrement(createTable: string): boolean {
  return AUTOINCREMENT.test(createTable.replace(OPAQUE, " "));
}
