import { randomBytes } from "node:crypto";
import { afterEach, describe, expect, it } from "vitest";
import { pull, push } from "./plain-client.js";
import { type PlainServer, startPlainServer } from "./plain-server.js";

describe("the plain peers of these tests", () => {
  let server: PlainServer | undefined;
  afterEach(() => server?.close());

  it("push and pull among themselves, and send only what differs", async () => {
    server = await startPlainServer();
    const bytes = randomBytes(4096 * 20);
    expect((await push(server.url, "push", bytes)).pagesTransferred).toBe(20);
    expect(server.file.bytes.equals(bytes)).toBe(true);
    bytes.fill(7, 4096 * 3, 4096 * 4);
    expect((await push(server.url, "push", bytes)).pagesTransferred).toBe(1);
    const pulled = await pull(server.url, "pull", bytes.subarray(0, 4096 * 5));
    expect(pulled.bytes.equals(bytes)).toBe(true);
    expect(pulled.pagesTransferred).toBe(15);
  });

  it("never shorten what is stored", async () => {
    server = await startPlainServer(randomBytes(4096 * 4));
    await push(server.url, "push", randomBytes(4096));
    expect(server.file.bytes.length).toBe(4096 * 4);
  });

  it("refuse another token", async () => {
    server = await startPlainServer();
    await expect(push(server.url, "nonsense", randomBytes(4096))).rejects.toThrow("401");
  });
});
