import { describe, expect, it } from "vitest";
import { parseCommandLine, parseFlags } from "../../src/cli/parse-flags.js";

const TYPES = { json: "boolean", output: "string", table: "list", download: "optional" } as const;
const parse = (line: string) => parseCommandLine(line.split(" "), TYPES, { shorts: { o: "output" }, maxOperands: 2 });

describe("flags", () => {
  it.each([
    ["--json a", { json: true }, ["a"]],
    ["a --output x b", { output: "x" }, ["a", "b"]],
    ["--output=x --output y", { output: "y" }, []],
    ["-o x", { output: "x" }, []],
    ["-ox", { output: "x" }, []],
    ["-o -", { output: "-" }, []],
    ["--output -", { output: "-" }, []],
    ["--output= a", { output: "" }, ["a"]],
    ["--table a --json --table=b", { table: ["a", "b"], json: true }, []],
    ["--download", { download: true }, []],
    ["--download x y", { download: "x" }, ["y"]],
    ["--download=x y", { download: "x" }, ["y"]],
    ["--download -", { download: "-" }, []],
    ["--download --json x", { download: true, json: true }, ["x"]],
    ["--download -- x", { download: true }, ["x"]],
    ["x --download", { download: true }, ["x"]],
    ["-- --json", {}, ["--json"]],
  ])("`%s` are %o and the rest", (line, flags, operands) => {
    expect(parse(line)).toEqual({ flags, operands });
  });

  it.each([
    ["a b c", 'unexpected argument "c"'],
    ["--output", "--output needs a value"],
    ["--table", "--table needs a value"],
    ["-o", "-o needs a value"],
    ["--json=1", '--json takes no value, got "1"'],
    ["--tabel x", 'unknown flag "--tabel": did you mean "--table"?'],
    ["-x", 'unknown flag "-x": did you mean "-o"?'],
    ["--__proto__", 'unknown flag "--__proto__"'],
  ])("refuses `%s`", (line, message) => {
    expect(() => parse(line)).toThrow(message);
  });

  it("are all that a command takes which takes nothing else", () => {
    expect(() => parseFlags(["x"], TYPES)).toThrow('unexpected argument "x"');
    expect(parseFlags(["--json"], TYPES)).toEqual({ json: true });
  });
});
