const HASH = "0123456789abcdef".repeat(4);

const answer = (fields: Record<string, unknown>) =>
  JSON.stringify({ data: { a: 1 }, hash: HASH, timestamp: 1_700_000_000_000, ...fields });

/** Bodies of a pull that came whole, with 200 and as JSON, and are not what the protocol prescribes. For `it.each(Object.entries(...))`. */
export const badDocuments: Readonly<Record<string, string | Uint8Array>> = {
  "nothing at all": "",
  "no JSON": "OK",
  "JSON followed by rubbish": `${answer({})}}`,
  "bytes that are no UTF-8": Buffer.concat([
    Buffer.from('{"data":{"a":"'),
    Buffer.from([0xff, 0xfe]),
    Buffer.from('"}}'),
  ]),
  null: "null",
  "an array": `[${answer({})}]`,
  "a string": '"document"',
  "a number": "42",
  "no data": answer({ data: undefined }),
  "null for data": answer({ data: null }),
  "an array for data": answer({ data: [1, 2] }),
  "a string for data": answer({ data: "text" }),
  "no hash": answer({ hash: undefined }),
  "null for hash": answer({ hash: null }),
  "a number for hash": answer({ hash: 7 }),
  "an array for hash": answer({ hash: [HASH] }),
  "an error with 200": JSON.stringify({ error: "Internal error" }),
};

/** A right answer to a pull, but for its hash, whose data is nested so deep. */
export function deepDocument(depth = 10_000): string {
  return `{"data":{"deep":${"[".repeat(depth)}${"]".repeat(depth)}},"hash":"${HASH}","timestamp":1700000000000}`;
}

/**
 * A right answer to a pull, but for its hash, with the keys that must never get through (`__proto__`, `constructor`, `prototype`,
 * `__class__`, `__dict__`) at the top, inside an object and inside an array. `kept: 1` stands beside each.
 */
export function pollutingDocument(): string {
  const keys =
    '"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"prototype":1,"__class__":1,"__dict__":1';
  const poison = `{${keys},"kept":1}`;
  return `{"data":{${keys},"kept":1,"inner":${poison},"list":[${poison},[${poison}]]},"hash":"${HASH}","timestamp":1700000000000}`;
}
