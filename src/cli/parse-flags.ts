import { parseArgs } from "node:util";
import { suggestion } from "../config/nearest-name.js";
import { UsageError } from "./usage-error.js";

/** Flags of one command: none, one or several values, or one that may be left out. */
type FlagTypes = Readonly<Record<string, "boolean" | "string" | "list" | "optional">>;

/** What was given: `true` for a flag without a value; what was not given is missing. */
export type Flags<T extends FlagTypes> = {
  [K in keyof T]?: { boolean: true; string: string; list: readonly string[]; optional: string | true }[T[K]];
};

interface CommandLineOptions {
  /** Flags of one letter, and the long flag that each stands for. */
  readonly shorts?: Readonly<Record<string, string>>;
  /** How many arguments that are no flags it takes at most. Default none. */
  readonly maxOperands?: number;
}

/**
 * Parses a command's flags, which are all it takes. Given twice, the last one counts.
 * @throws UsageError that names what is wrong and the nearest known flag
 */
export function parseFlags<const T extends FlagTypes>(args: readonly string[], types: T): Flags<T> {
  return parseCommandLine(args, types).flags;
}

/**
 * Parses a command's flags and the other arguments it takes. Of a flag given twice the last one counts, unless it is a `list`. The value of an
 * `optional` flag is the argument right after it, if that is no flag.
 * @throws UsageError that names what is wrong and the nearest known flag
 */
export function parseCommandLine<const T extends FlagTypes>(
  args: readonly string[],
  types: T,
  { shorts = {}, maxOperands = 0 }: CommandLineOptions = {},
): { flags: Flags<T>; operands: readonly string[] } {
  const { tokens } = parseArgs({
    args: [...args],
    options: parseArgsOptions(types, shorts),
    strict: false,
    tokens: true,
  });
  const flags: Record<string, string | true | string[]> = {};
  const operands: string[] = [];
  let waiting: { name: string; index: number } | undefined;
  for (const token of tokens) {
    if (token.kind === "option-terminator") continue;
    if (token.kind === "positional") {
      if (waiting?.index === token.index - 1) flags[waiting.name] = token.value;
      else if (operands.push(token.value) > maxOperands) throw new UsageError(`unexpected argument "${token.value}"`);
      continue;
    }
    const { name, rawName, value } = token;
    const type = Object.hasOwn(types, name) ? types[name] : undefined;
    if (type === undefined) {
      const known = [
        ...Object.keys(types).map((flag) => `--${flag}`),
        ...Object.keys(shorts).map((flag) => `-${flag}`),
      ];
      throw new UsageError(`unknown flag "${rawName}": ${suggestion(rawName, known)}`);
    }
    if (type === "boolean" && value !== undefined) throw new UsageError(`${rawName} takes no value, got "${value}"`);
    if ((type === "string" || type === "list") && value === undefined) throw new UsageError(`${rawName} needs a value`);
    const before = flags[name];
    flags[name] = type === "list" ? [...(Array.isArray(before) ? before : []), value ?? ""] : (value ?? true);
    waiting = type === "optional" && value === undefined ? { name, index: token.index } : undefined;
  }
  return { flags: flags as Flags<T>, operands };
}

/** An `optional` flag is a boolean one to `parseArgs`, which would give it whatever comes next. */
function parseArgsOptions(types: FlagTypes, shorts: Readonly<Record<string, string>>) {
  const entries = Object.entries(types).map(([name, type]) => {
    const short = Object.keys(shorts).find((letter) => shorts[letter] === name);
    const takesValue = type === "string" || type === "list";
    return [name, { type: takesValue ? "string" : "boolean", ...(short !== undefined && { short }) }] as const;
  });
  return Object.fromEntries(entries) as Record<string, { type: "string" | "boolean"; short?: string }>;
}
