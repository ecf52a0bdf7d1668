import { describe, expect, it } from "vitest";
import { HashesInFlight } from "../../src/collections/hashes-in-flight.js";
import { deferred } from "../support/wait.js";

describe("HashesInFlight", () => {
  it("has a hash until the last of those that send it has ended, well or not", async () => {
    const inFlight = new HashesInFlight();
    const [first, second] = [deferred(), deferred()];
    const sends = [first, second].map(({ promise }) => inFlight.during("h", () => promise));
    expect(inFlight.has("h")).toBe(true);
    first.resolve();
    await sends[0];
    expect(inFlight.has("h")).toBe(true);
    second.reject(new Error("lost"));
    await expect(sends[1]).rejects.toThrow("lost");
    expect(inFlight.has("h")).toBe(false);
  });

  it("counts nothing where it is not known what is sent", async () => {
    const inFlight = new HashesInFlight();
    expect(await inFlight.during(null, async () => 1)).toBe(1);
  });
});
