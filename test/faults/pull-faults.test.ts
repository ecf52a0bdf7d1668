import { MemoryObjectStore } from "@drakkar.software/starfish-server";
import { beforeAll, describe, expect, it } from "vitest";
import { ReplicaError } from "../../src/errors.js";
import type { RemoteCollection } from "../../src/manager/remote-collection.js";
import { ReplicaManager } from "../../src/manager/replica-manager.js";
import { atEnd } from "../support/at-end.js";
import { hostile } from "../support/hostile.js";
import { type HostileServer, startHostileServer } from "../support/hostile-server.js";
import { type Primary, startPrimary } from "../support/primary.js";
import { remote } from "../support/replica.js";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.js";
import { waitFor } from "../support/wait.js";
import { MAX_DOCUMENT_BYTES, type PullFault, pullFaults } from "./pull-fault-table.js";

const SECRET = "Bearer secret-token";
const FILLER = "x".repeat(4_000);
const PATH = "/v1/pull/posts/doc";

/** One collection with a primary of its own, which is going to fall sick. */
interface Patient {
  readonly name: string;
  readonly fault: PullFault;
  readonly server: HostileServer;
  readonly proxy: TcpProxy;
  before?: string | undefined;
  during?: string | undefined;
  refused?: unknown;
  rejected?: unknown;
  recovered?: unknown;
}

describe.each([
  ["our own client", undefined],
  ["fetch", fetch],
] as const)("a pull through %s", (_name, fetchFn) => {
  const data = new Map<string, string>();
  const handed = new Map<string, ReplicaError[]>();
  const patients: Patient[] = [];
  let other: HostileServer;
  let healthy: Primary;
  let healthyDuring: unknown;
  let manager: ReplicaManager;
  const faults = pullFaults("");
  const names = [...faults.keys()].filter((name) => !(fetchFn && faults.get(name)?.ownClientOnly));

  beforeAll(async () => {
    other = await startHostileServer();
    healthy = await startPrimary();
    await healthy.write("posts", { v: 1 });
    for (const [name, fault] of pullFaults(other.origin)) {
      if (!names.includes(name)) continue;
      const server = await startHostileServer();
      server.on(PATH, hostile.document({ v: 1 }));
      patients.push({ name, fault, server, proxy: await startTcpProxy(server.port) });
    }
    const collections: RemoteCollection[] = patients.map(({ name, proxy, fault }) => ({
      name,
      storagePath: `doc/${patients.findIndex((one) => one.name === name)}`,
      remote: remote(`${proxy.origin}/v1`, "posts", {
        syncTriggers: ["scheduled"],
        intervalMs: 20,
        headers: { Authorization: SECRET },
        requestTimeoutMs: fault.requestTimeoutMs ?? 10_000,
      }),
    }));
    collections.push({
      name: "healthy",
      storagePath: "healthy/doc",
      remote: remote(healthy.url, "posts", { syncTriggers: ["scheduled"], intervalMs: 20 }),
    });
    manager = new ReplicaManager(new MemoryObjectStore(data), collections, {
      ...(fetchFn && { fetchFn }),
      maxDocumentBytes: MAX_DOCUMENT_BYTES,
      backOff: { baseMs: 10, capMs: 50 },
      onError: (name, error) => handed.set(name, [...(handed.get(name) ?? []), error]),
    });
    atEnd(() => manager.stop());
    manager.start();
    await waitFor(() => data.size === patients.length + 1, { timeoutMs: 15_000 });

    await Promise.all(patients.map(fallSick));
    await healthy.write("posts", { v: 2 });
    await Promise.all(patients.map(suffer));
    healthyDuring = JSON.parse(data.get("healthy/doc") ?? "null").data;
    await Promise.all(patients.map(recover));
  }, 60_000);

  const key = (patient: Patient) => `doc/${patients.indexOf(patient)}`;

  async function fallSick(patient: Patient): Promise<void> {
    handed.delete(patient.name);
    patient.before = data.get(key(patient));
    // A fault of the line shows on a new document, and only then.
    patient.server.on(PATH, patient.fault.primary ?? hostile.document({ v: 2, filler: FILLER }));
    await patient.fault.line?.(patient.proxy);
  }

  async function suffer(patient: Patient): Promise<void> {
    await waitFor(() => handed.has(patient.name), {
      timeoutMs: 20_000,
      what: `a failure in the background: ${patient.name}`,
    });
    // The run that syncNow joins may be one that reports to onError; either way the caller gets the error.
    patient.rejected = await manager.syncNow(patient.name).catch((error: unknown) => error);
    patient.during = data.get(key(patient));
    patient.refused = handed.get(patient.name)?.at(-1);
  }

  async function recover(patient: Patient): Promise<void> {
    patient.server.on(PATH, hostile.document({ v: 3 }));
    await patient.proxy.pass();
    patient.recovered = await waitFor(() => (data.get(key(patient)) ?? "").includes('"v":3'), {
      timeoutMs: 20_000,
      what: `the new document after ${patient.name}`,
    });
  }

  const find = (name: string) => {
    const patient = patients.find((one) => one.name === name);
    if (!patient) throw new Error(`No patient "${name}"`);
    return patient;
  };

  describe.each(names)("that meets %s", (name) => {
    it("leaves the local document as it was, byte for byte", () => {
      const patient = find(name);
      expect(patient.before).toContain('"v":1');
      expect(patient.during).toBe(patient.before);
    });

    it("says what was wrong with which URL, under the documented code, to onError and to the caller of syncNow", () => {
      const { fault, refused, rejected, proxy } = find(name);
      for (const error of [refused, rejected]) {
        expect(error).toBeInstanceOf(ReplicaError);
        const { code, message, hint, status } = error as ReplicaError;
        expect({ code, message }).toEqual({ code: fault.code, message: expect.stringMatching(fault.says) });
        expect(message).toContain(`${proxy.origin}${PATH}`);
        expect(`${message} ${hint}`).not.toMatch(/secret|\?|Welcome/);
        if (fault.status !== undefined) expect(status).toBe(fault.status);
      }
    });

    it("is over by itself when the primary is well again", () => {
      expect(find(name).recovered).toBe(true);
      expect(manager.status().find((one) => one.name === name)).toMatchObject({
        lastError: { code: find(name).fault.code },
      });
    });
  });

  it("goes on for the other collections meanwhile", () => {
    expect(healthyDuring).toEqual({ v: 2 });
    expect(handed.get("healthy")).toBeUndefined();
  });

  it("reaches nobody but the primary", () => {
    expect(other.connections.total).toBe(0);
  });
});
