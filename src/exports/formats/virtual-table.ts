import { sqlTokens } from "./sql-tokens.js";

/** What a `CREATE VIRTUAL TABLE` statement says. */
export interface VirtualDeclaration {
  /** Lower case. */
  readonly module: string;
  /** Its `name=value` arguments, names in lower case, values without quotes. */
  readonly options: ReadonlyMap<string, string>;
}

/** Reads a declaration as SQLite keeps it: `CREATE VIRTUAL TABLE <name> USING <module>(<arguments>)`. */
export function parseVirtualTable(sql: string): VirtualDeclaration {
  const tokens = sqlTokens(sql);
  const using = tokens.findIndex((token, index) => index > 3 && /^using$/i.test(token));
  const module = unquote(tokens[using + 1] ?? "").toLowerCase();
  const options = new Map<string, string>();
  let argument: string[] = [];
  let depth = 0;
  for (const token of tokens.slice(using + 2)) {
    if (token === "(") depth += 1;
    if (token === ")") depth -= 1;
    if ((token === "," && depth === 1) || depth === 0) {
      addOption(options, argument);
      argument = [];
    } else if (token !== "(" || depth > 1) argument.push(token);
  }
  return { module, options };
}

function addOption(options: Map<string, string>, argument: readonly string[]): void {
  const [name, equals, ...value] = argument;
  if (name === undefined || equals !== "=") return;
  options.set(name.toLowerCase(), value.length === 1 ? unquote(value[0] ?? "") : value.join(" "));
}

function unquote(token: string): string {
  const quote = token[0] ?? "";
  if (quote === "[") return token.slice(1, -1);
  if (!/['"`]/.test(quote)) return token;
  return token.slice(1, -1).replaceAll(quote + quote, quote);
}
