import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import Database from "better-sqlite3";
import { Webhook } from "standardwebhooks";
import { describe, expect, it } from "vitest";
import { ReplicaError } from "../../../src/errors.js";
import { atEnd } from "../../support/at-end.js";
import { waitFor } from "../../support/wait.js";
import { engineOptions, openEngine } from "./engine-fixture.js";
import { GatedStore } from "./gated-store.js";

const SECRET = `whsec_${Buffer.from("a secret of thirty-two bytes.....").toString("base64")}`;
const CALLBACKS = { secrets: [SECRET], allowPrivate: true, giveUpAfterSeconds: 3_600 };

interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Takes callbacks, with whatever status it is told. */
async function startReceiver(): Promise<{ url: string; received: Received[]; answer(status: number): void }> {
  const received: Received[] = [];
  let status = 200;
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    received.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
    response.writeHead(status).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  atEnd(() => server.close().closeAllConnections());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
  return {
    url,
    received,
    answer(next) {
      status = next;
    },
  };
}

/** What a receiver that checks it is told. */
function open({ headers, body }: Received): unknown {
  return new Webhook(SECRET).verify(body, headers as Record<string, string>);
}

describe("The callback of a job", () => {
  it("waits until the job has completed, and then brings it as it was, signed", async () => {
    const { url, received } = await startReceiver();
    const engine = await openEngine(engineOptions({ callbacks: CALLBACKS }));
    const taken = await engine.startJob({ callbackUrl: url });
    expect(taken.callback).toEqual({ url, state: "waiting", attempts: 0 });
    await engine.until(taken.id, "completed");
    const job = await waitFor(async () => {
      const now = await engine.job(taken.id);
      return now.callback?.state === "delivered" && now;
    });
    expect(job.callback).toEqual({ url, state: "delivered", attempts: 1 });
    expect(received).toHaveLength(1);
    expect(open(received[0] as Received)).toEqual({
      type: "export.completed",
      timestamp: job.finishedAt,
      data: { ...job, callback: { url, state: "pending", attempts: 0 } },
    });
    expect(received[0]?.headers["webhook-id"]).toMatch(/^msg_/);
    await waitFor(() => engine.told.at(-1)?.callback?.state === "delivered");
  });

  it("tells of a failure with its reason", async () => {
    const { url, received } = await startReceiver();
    const gated = new GatedStore();
    const engine = await openEngine(engineOptions({ callbacks: CALLBACKS }), { wrapStore: gated.wrap });
    gated.fail(new ReplicaError("ARTIFACT_STORE", "The bucket is somebody else's"), 1);
    await engine.until((await engine.startJob({ callbackUrl: url })).id, "failed");
    await waitFor(() => received.length === 1);
    expect(open(received[0] as Received)).toMatchObject({
      type: "export.failed",
      data: { state: "failed", error: { code: "ARTIFACT_STORE" }, artifact: null },
    });
  });

  it("outlives the process: sent again after a restart with the same id and to the byte the same", async () => {
    const { url, received, answer } = await startReceiver();
    answer(503);
    const options = engineOptions({ callbacks: CALLBACKS });
    const engine = await openEngine(options);
    const { id } = await engine.startJob({ callbackUrl: url });
    await waitFor(() => received.length === 1, { timeoutMs: 15_000 });
    const books = new Database(join(options.dir, "exports.db"));
    // A try counts from its beginning, and is over when its reason stands in the books.
    expect((await engine.job(id)).callback?.attempts).toBe(1);
    const reason = books.prepare("SELECT callback_reason FROM export_jobs").pluck();
    await waitFor(() => /503/.test(String(reason.get())));
    await engine.close();
    expect(received).toHaveLength(1);
    // Due now, and not in a while.
    books.prepare("UPDATE export_jobs SET callback_next_ms = 0").run();
    books.close();
    answer(204);
    const again = await openEngine(options);
    await waitFor(async () => (await again.job(id)).callback?.state === "delivered");
    expect((await again.job(id)).callback?.attempts).toBe(2);
    expect(received[1]?.body).toBe(received[0]?.body);
    expect(received[1]?.headers["webhook-id"]).toBe(received[0]?.headers["webhook-id"]);
  });

  it("is not sent for a job that was removed", async () => {
    const { url, received } = await startReceiver();
    const gated = new GatedStore();
    const options = engineOptions({ callbacks: CALLBACKS });
    const engine = await openEngine(options, { wrapStore: gated.wrap });
    const reached = gated.holdPart(1);
    const { id } = await engine.startJob({ callbackUrl: url });
    await reached;
    await engine.removeJob(id);
    gated.open();
    const other = await engine.startJob({ callbackUrl: url });
    await engine.until(other.id, "completed");
    await waitFor(() => received.length > 0);
    expect(received.map(({ body }) => JSON.parse(body).data.id)).toEqual([other.id]);
  });

  it("is refused with the job where its name leads to private addresses alone", async () => {
    const strict = await openEngine(engineOptions({ callbacks: { ...CALLBACKS, allowPrivate: false } }));
    const refused = strict.startJob({ callbackUrl: "https://localhost/hook?key=secret" });
    await expect(refused).rejects.toMatchObject({
      code: "CALLBACK_REFUSED",
      message: expect.stringMatching(/^callbackUrl must not lead to "localhost", whose address is private/),
    });
    expect(await strict.jobs()).toEqual([]);
    const lenient = await openEngine(engineOptions({ callbacks: CALLBACKS }));
    const { callback } = await lenient.startJob({ callbackUrl: "https://localhost:1/hook" });
    expect(callback?.state).toBe("waiting");
  });
});
