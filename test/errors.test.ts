import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ConfigurationError, ERROR_CODES, ReplicaError, toReplicaError } from "../src/errors.js";
import { buildOnce } from "./support/build-once.js";

describe("ReplicaError", () => {
  it("has every code documented where the codes are declared", () => {
    const source = readFileSync(new URL("../src/errors.ts", import.meta.url), "utf8");
    for (const code of ERROR_CODES) expect(source).toContain(`| \`${code}\` |`);
  });

  it("is recognised across two copies of the package", async () => {
    const copy = await import(await buildOnce("src/errors.ts"));
    expect(copy.ReplicaError).not.toBe(ReplicaError);
    expect(new copy.ReplicaError("STOPPED", "x")).toBeInstanceOf(ReplicaError);
    expect(new ReplicaError("STOPPED", "x")).toBeInstanceOf(copy.ReplicaError);
  });

  it("keeps the ordinary meaning for its subclasses", () => {
    expect(new ConfigurationError(["a"])).toBeInstanceOf(ReplicaError);
    expect(new ConfigurationError(["a"])).toBeInstanceOf(ConfigurationError);
    expect(new ReplicaError("STOPPED", "x")).not.toBeInstanceOf(ConfigurationError);
    expect(new Error("x")).not.toBeInstanceOf(ReplicaError);
  });
});

describe("toReplicaError", () => {
  it("keeps our own errors and wraps others with their cause", () => {
    const own = new ReplicaError("STOPPED", "x");
    expect(toReplicaError(own, "LOCAL_STORE", "what")).toBe(own);
    const other = new Error("disk full");
    const wrapped = toReplicaError(other, "LOCAL_STORE", "writing failed");
    expect(wrapped).toMatchObject({
      code: "LOCAL_STORE",
      message: "writing failed: disk full",
      cause: other,
      retryable: true,
    });
    expect(toReplicaError("odd", "LOCAL_STORE", "x").message).toBe("x: odd");
  });
});
