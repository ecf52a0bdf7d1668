import { signDocAuthor, verifyDocAuthor } from "@drakkar.software/starfish-protocol";
import { beforeAll, describe, expect, it } from "vitest";
import { createReplicaAuth } from "../../src/auth/create-replica-auth.js";
import type { DeviceCredentials } from "../../src/auth/device-credentials.js";
import type { ReplicaAuth } from "../../src/auth/replica-auth.js";
import type { ReplicaManagerOptions } from "../../src/manager/manager-options.js";
import { makeCredentials } from "../auth/credentials.js";
import { type Primary, startPrimary } from "../support/primary.js";
import type { Replica } from "../support/replica.js";
import { waitFor } from "../support/wait.js";
import { localData, outbox, startOutbox } from "./outbox-setup.js";

const KEY = "posts/doc";

/** A client's push with its author's proof. */
async function pushSigned(replica: Replica, author: DeviceCredentials, data: Record<string, unknown>): Promise<string> {
  const proof = signDocAuthor(KEY, data, author.device.edPub, author.device.edPriv);
  const { body } = await replica.get(`/pull/${KEY}`);
  const answer = await replica.push(`/push/${KEY}`, { data, baseHash: body.hash === "" ? null : body.hash, ...proof });
  expect(answer.status).toBe(200);
  return answer.body.hash;
}

const accepted = (primary: Primary) =>
  primary.requests.filter(({ method, status }) => method === "POST" && status === 200).length;

describe("a client's write with its author's proof", () => {
  let ours: DeviceCredentials;
  let theirs: DeviceCredentials;
  let auth: ReplicaAuth;
  beforeAll(async () => {
    [ours, theirs] = await Promise.all([makeCredentials(), makeCredentials()]);
    auth = await createReplicaAuth({ credentials: ours });
  });

  async function setUp(options: Partial<ReplicaManagerOptions>, signed = true) {
    const primary = await startPrimary(signed ? { auth: "cap-cert" } : {});
    const replica = await startOutbox({ url: primary.url, ...options });
    replica.manager.start();
    return { primary, replica };
  }

  it("is sent without it where we sign with another key: the content arrives, and is counted", async () => {
    const { primary, replica } = await setUp({ auth });
    for (const n of [1, 2]) {
      await pushSigned(replica, theirs, { n });
      await waitFor(async () => (await primary.read("posts")).data.n === n);
      await waitFor(() => outbox(replica).proofsDropped === n);
    }
    expect(accepted(primary)).toBe(2);
    expect(primary.count({ method: "POST", status: 403 })).toBe(0);
    expect(await primary.read("posts")).not.toMatchObject({ authorPubkey: expect.anything() });
    // Here it still is.
    expect((await replica.get(`/pull/${KEY}`)).body).toMatchObject({
      data: { n: 2 },
      authorPubkey: theirs.device.edPub,
    });
    expect(outbox(replica)).toMatchObject({ deadLetter: null, pendingSince: null });
  });

  it("is sent with it where the author's key is ours, and readers at the primary can check it", async () => {
    const { primary, replica } = await setUp({ auth });
    await pushSigned(replica, ours, { n: 1 });
    await waitFor(async () => (await primary.read("posts")).data.n === 1);
    const { data, authorPubkey, authorSignature } = await primary.read("posts");
    expect(authorPubkey).toBe(ours.device.edPub);
    expect(verifyDocAuthor(KEY, data, authorPubkey ?? "", authorSignature ?? "")).toBe(true);
    await waitFor(() => outbox(replica).pendingSince === null);
    expect(outbox(replica).proofsDropped).toBe(0);
  });

  it("is sent again without it where only the primary can tell, and from then on without it at once", async () => {
    const { primary, replica } = await setUp({ fetchFn: auth.fetch });
    await pushSigned(replica, theirs, { n: 1 });
    await waitFor(async () => (await primary.read("posts")).data.n === 1);
    await waitFor(() => outbox(replica).proofsDropped === 1);
    expect(primary.count({ method: "POST", status: 403 })).toBe(1);
    await pushSigned(replica, theirs, { n: 2 });
    await waitFor(async () => (await primary.read("posts")).data.n === 2);
    await waitFor(() => outbox(replica).proofsDropped === 2);
    expect(primary.count({ method: "POST", status: 403 })).toBe(1);
    expect(outbox(replica).deadLetter).toBeNull();
  });

  it("is a dead letter where the primary refuses it without the proof too, which says nothing against later proofs", async () => {
    const { primary, replica } = await setUp({ fetchFn: auth.fetch });
    primary.failWith(403, {}, { when: "POST", times: 2 });
    await pushSigned(replica, ours, { n: 1 });
    await waitFor(() => outbox(replica).deadLetter);
    expect(outbox(replica).deadLetter).toMatchObject({ status: 403 });
    await pushSigned(replica, ours, { n: 2 });
    await waitFor(async () => (await primary.read("posts")).data.n === 2);
    expect((await primary.read("posts")).authorPubkey).toBe(ours.device.edPub);
    await waitFor(() => outbox(replica).pendingSince === null);
    expect(outbox(replica).proofsDropped).toBe(0);
  });

  it("is sent with it to a primary that knows no presenters", async () => {
    const { primary, replica } = await setUp({}, false);
    await pushSigned(replica, theirs, { n: 1 });
    await waitFor(async () => (await primary.read("posts")).data.n === 1);
    expect((await primary.read("posts")).authorPubkey).toBe(theirs.device.edPub);
  });

  it("loses it in a merge, where it would prove something that nobody signed", async () => {
    const { primary, replica } = await setUp({ auth });
    await pushSigned(replica, ours, { n: 1 });
    await waitFor(() => outbox(replica).sent === 1);
    await waitFor(() => outbox(replica).state === "idle");
    primary.pause();
    await primary.write("posts", { n: 1, other: 1 });
    await pushSigned(replica, ours, { n: 2 });
    primary.resume();
    await waitFor(async () => (await primary.read("posts")).data.n === 2);
    expect(await primary.read("posts")).toMatchObject({ data: { n: 2, other: 1 } });
    expect((await primary.read("posts")).authorPubkey).toBeUndefined();
    await waitFor(async () => (await localData(replica)).other === 1);
    expect((await replica.get(`/pull/${KEY}`)).body.authorPubkey).toBeUndefined();
  });
});
