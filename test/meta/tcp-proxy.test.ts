import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { Agent, request } from "undici";
import { describe, expect, it } from "vitest";
import { atEnd } from "../support/at-end.js";
import { realNow } from "../support/real-time.js";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.js";
import { waitFor } from "../support/wait.js";

const BODY = "0123456789".repeat(100_000);

async function start(
  connections = 4,
): Promise<{ proxy: TcpProxy; get: (timeoutMs?: number) => Promise<string>; agent: Agent }> {
  const server = createServer((_request, response) => response.end(BODY)).listen(0, "127.0.0.1");
  await once(server, "listening");
  atEnd(() => {
    server.close();
    server.closeAllConnections();
  });
  const proxy = await startTcpProxy((server.address() as AddressInfo).port);
  const agent = new Agent({ connections });
  atEnd(() => agent.destroy());
  const get = async (timeoutMs = 10_000) => {
    const options = { dispatcher: agent, signal: AbortSignal.timeout(timeoutMs) };
    return (await request(proxy.origin, options)).body.text();
  };
  return { proxy, get, agent };
}

describe("startTcpProxy", () => {
  it("hands on everything and counts connections and bytes", async () => {
    const { proxy, get, agent } = await start();
    expect(await Promise.all([get(), get(), get()])).toEqual([BODY, BODY, BODY]);
    expect(await get()).toBe(BODY);
    expect(proxy.connections).toEqual({ total: 3, open: 3, peak: 3 });
    expect(proxy.bytes.down).toBeGreaterThan(4 * BODY.length);
    expect(proxy.bytes.down).toBeLessThan(4 * BODY.length + 2_000);
    expect(proxy.bytes.up).toBeGreaterThan(100);
    await agent.destroy();
    await waitFor(() => proxy.connections.open === 0);
  });

  it("refuses connections, and listens on the same port again", async () => {
    const { proxy, get } = await start();
    expect(await get()).toBe(BODY);
    await proxy.refuse();
    expect(proxy.connections.open).toBe(0);
    await expect(once(connect(proxy.port, "127.0.0.1"), "connect")).rejects.toMatchObject({ code: "ECONNREFUSED" });
    await proxy.pass();
    const raw = connect(proxy.port, "127.0.0.1");
    await once(raw, "connect");
    raw.destroy();
  });

  it("can keep what is open while it refuses", async () => {
    const { proxy, get } = await start(1);
    await get();
    await proxy.refuse({ keepOpen: true });
    expect(await get()).toBe(BODY);
    await expect(once(connect(proxy.port, "127.0.0.1"), "connect")).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });

  it("resets in the middle of the body, after exactly so many bytes", async () => {
    const { proxy, get } = await start();
    proxy.resetAfter(5_000);
    const client = connect(proxy.port, "127.0.0.1");
    client.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
    let got = 0;
    client.on("data", (piece) => {
      got += piece.byteLength;
    });
    const [error] = await once(client, "error");
    expect(error).toMatchObject({ code: "ECONNRESET" });
    expect(got).toBe(5_000);
    await expect(get()).rejects.toThrow();
    await proxy.pass();
    expect(await get()).toBe(BODY);
  });

  it("counts the bytes before a reset from when the fault was set, on connections that were open", async () => {
    const { proxy, get } = await start();
    await get();
    const before = proxy.bytes.down;
    proxy.resetAfter(1_000);
    await expect(get()).rejects.toThrow();
    expect(proxy.bytes.down - before).toBe(1_000);
  });

  it("swallows everything, on old connections and new ones, and hands on new ones afterwards", async () => {
    const { proxy, get } = await start();
    await get();
    proxy.blackHole();
    const before = proxy.bytes.down;
    await expect(get(50)).rejects.toMatchObject({ name: "TimeoutError" });
    await expect(get(50)).rejects.toMatchObject({ name: "TimeoutError" });
    expect(proxy.bytes.down).toBe(before);
    expect(proxy.connections.total).toBeGreaterThan(1);
    await proxy.pass();
    // An idle connection of the pool was reset as well, and shows it when it is used.
    expect(await waitFor(() => get())).toBe(BODY);
  });

  it("resets what a black hole swallowed when it is over, unless told to keep it", async () => {
    const { proxy } = await start();
    proxy.blackHole();
    const client = connect(proxy.port, "127.0.0.1");
    const reset = once(client, "error");
    await waitFor(() => proxy.connections.total === 1);
    await proxy.pass({ keepDead: true });
    client.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
    await waitFor(() => proxy.bytes.up > 0);
    expect(proxy.connections.open).toBe(1);
    await proxy.pass();
    expect((await reset)[0]).toMatchObject({ code: "ECONNRESET" });
    expect(proxy.bytes.down).toBe(0);
  });

  it("drips, until told to pass", async () => {
    const { proxy, get } = await start();
    proxy.drip(100, 5);
    await expect(get(60)).rejects.toMatchObject({ name: "TimeoutError" });
    expect(proxy.bytes.down).toBeLessThan(5_000);
    const answer = get();
    await waitFor(() => proxy.bytes.down > 500);
    await proxy.pass();
    expect(await answer).toBe(BODY);
  });

  it("cuts what is open and takes new connections", async () => {
    const { proxy, get } = await start();
    proxy.drip(100, 5);
    const answer = get();
    answer.catch(() => {});
    await waitFor(() => proxy.bytes.down > 0);
    proxy.cut();
    await expect(answer).rejects.toThrow();
    await proxy.pass();
    expect(await get()).toBe(BODY);
  });

  it("adds latency once per direction, not once per piece", async () => {
    const { proxy, get } = await start();
    await get();
    proxy.setLatencyMs(50);
    const since = realNow();
    expect(await get()).toBe(BODY);
    expect(realNow() - since).toBeGreaterThanOrEqual(99);
    expect(realNow() - since).toBeLessThan(1_500);
  });

  it("resets the client when the target is gone", async () => {
    const proxy = await startTcpProxy(1);
    const client = connect(proxy.port, "127.0.0.1");
    const [error] = await once(client, "error");
    expect(error).toMatchObject({ code: "ECONNRESET" });
  });
});
