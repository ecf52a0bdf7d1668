import { describe, expect, it } from "vitest";
import { checkPreconditions } from "../../../src/exports/routes/preconditions.js";

const GO_ON = { outcome: "go-on", range: true };
const WHOLE = { outcome: "go-on", range: false };
const NOT_MODIFIED = { outcome: "not-modified", range: false };
const FAILED = { outcome: "failed", range: false };

describe("checkPreconditions", () => {
  it.each<[Record<string, string>, object]>([
    [{}, GO_ON],
    [{ "if-none-match": '"abc"' }, NOT_MODIFIED],
    [{ "if-none-match": 'W/"abc"' }, NOT_MODIFIED],
    [{ "if-none-match": '"x", "a,b" ,W/"abc"' }, NOT_MODIFIED],
    [{ "if-none-match": " * " }, NOT_MODIFIED],
    [{ "if-none-match": '"abcd"' }, GO_ON],
    [{ "if-none-match": "abc" }, GO_ON],
    [{ "if-none-match": '"' }, GO_ON],
    [{ "if-match": '"abc"' }, GO_ON],
    [{ "if-match": "*" }, GO_ON],
    [{ "if-match": '"x", "abc"' }, GO_ON],
    [{ "if-match": 'W/"abc"' }, FAILED],
    [{ "if-match": '"x"' }, FAILED],
    [{ "if-match": "" }, FAILED],
    [{ "if-match": '"x"', "if-none-match": '"abc"' }, FAILED],
    [{ "if-range": '"abc"' }, GO_ON],
    [{ "if-range": 'W/"abc"' }, WHOLE],
    [{ "if-range": '"x"' }, WHOLE],
    [{ "if-range": "Sat, 29 Oct 1994 19:43:31 GMT" }, WHOLE],
    [{ "if-modified-since": "Sat, 29 Oct 2094 19:43:31 GMT" }, GO_ON],
  ])("takes %j for what it says", (headers, outcome) => {
    expect(checkPreconditions(new Headers(headers), '"abc"')).toEqual(outcome);
  });
});
