import { parseArgs } from "node:util";
import { suggestion } from "../config/nearest-name.js";
import { UsageError } from "./usage-error.js";

/** Flags of one command: whether each takes a value. */
type FlagTypes = Readonly<Record<string, "boolean" | "string">>;

/** What was given: a value for `string` flags, `true` for `boolean` ones; what was not given is missing. */
export type Flags<T extends FlagTypes> = { [K in keyof T]?: T[K] extends "string" ? string : true };

/**
 * Parses a command's flags, which are all it takes. Given twice, the last one counts.
 * @throws UsageError that names what is wrong and the nearest known flag
 */
export function parseFlags<const T extends FlagTypes>(args: readonly string[], types: T): Flags<T> {
  const options = Object.fromEntries(Object.entries(types).map(([name, type]) => [name, { type }]));
  const { tokens } = parseArgs({ args: [...args], options, strict: false, tokens: true });
  const flags: Record<string, string | true> = {};
  for (const token of tokens) {
    if (token.kind === "positional") throw new UsageError(`unexpected argument "${token.value}"`);
    if (token.kind === "option-terminator") continue;
    const { name, rawName, value } = token;
    const type = Object.hasOwn(types, name) ? types[name] : undefined;
    if (type === undefined) {
      const known = Object.keys(types).map((flag) => `--${flag}`);
      throw new UsageError(`unknown flag "${rawName}": ${suggestion(rawName, known)}`);
    }
    if (type === "boolean" && value !== undefined) throw new UsageError(`${rawName} takes no value, got "${value}"`);
    if (type === "string" && value === undefined) throw new UsageError(`${rawName} needs a value`);
    flags[name] = value ?? true;
  }
  return flags as Flags<T>;
}
