import { describe, expect, it } from "vitest";
import { ReplicaError } from "../../src/errors.js";
import { hasErrorCode, isDiskFull } from "../../src/files/error-code.js";
import { mapFolderError } from "../../src/files/folder-error.js";

const names = { code: "PAGE_STORE", fullCode: "DISK_LIMIT", fullHint: "Free space." } as const;
const failure = (code: string): Error => Object.assign(new Error(`${code}: it failed`), { code });

describe("an error of the file system", () => {
  it("is known by its code, also inside of ours", () => {
    const wrapped = new ReplicaError("PAGE_STORE", "x", { cause: failure("ENOSPC") });
    for (const error of [failure("ENOSPC"), wrapped]) {
      expect(hasErrorCode(error, "EIO", "ENOSPC")).toBe(true);
      expect(hasErrorCode(error, "EIO")).toBe(false);
      expect(isDiskFull(error)).toBe(true);
    }
    for (const other of [new Error("ENOSPC"), "ENOSPC", null, undefined]) expect(isDiskFull(other)).toBe(false);
  });

  it.each([
    ["ENOSPC", { code: "DISK_LIMIT", hint: "Free space." }],
    ["EACCES", { code: "PAGE_STORE", hint: expect.stringContaining("readable and writable"), retryable: false }],
    ["EISDIR", { code: "PAGE_STORE", hint: expect.stringContaining("Something else lies"), retryable: false }],
    ["ENOENT", { code: "PAGE_STORE", hint: expect.stringContaining("was removed"), retryable: false }],
    ["EMFILE", { code: "PAGE_STORE", hint: expect.stringContaining("ulimit"), retryable: true }],
    ["EIO", { code: "PAGE_STORE", hint: expect.stringContaining("system's log"), retryable: false }],
  ])("says what, where and how to mend it: %s", (code, expected) => {
    const error = mapFolderError(failure(code), "Writing", "/data", names);
    expect(error).toMatchObject({ ...expected, message: expect.stringMatching(`Writing: .*${code}: it failed`) });
  });

  it("is nothing else", () => {
    const errors = [new ReplicaError("STOPPED", "x"), new RangeError("x"), failure("ERR_INVALID_ARG"), "words"];
    for (const error of errors) expect(mapFolderError(error, "Writing", "/data", names)).toBe(error);
  });
});
