import { createHash } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import type { ArtifactStore, StoredPart } from "../../../src/exports/artifacts/artifact-store.js";
import { createS3Store } from "../../../src/exports/artifacts/s3-store.js";
import { atEnd } from "../../support/at-end.js";
import { s3ServerMissing, startS3Server, type TestS3 } from "../../support/s3-server.js";
import { registerArtifactStoreTests } from "./artifact-store-conformance.js";
import { startMeddlingProxy } from "./meddling-proxy.js";
import { someBytes, storedPart, writePart } from "./written-artifact.js";

const missing = s3ServerMissing();
const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
const JOB = { id: "job-1", fileName: "main-2026-01-31.sql", mediaType: "application/sql" };

describe.skipIf(missing !== null)(missing ?? "With an S3 server", () => {
  let server: TestS3;
  beforeAll(async () => {
    server = await startS3Server();
  }, 60_000);

  const open = async (more: { prefix?: string; endpoint?: string } = {}) => {
    const store = await createS3Store({ ...server.options(), ...more });
    atEnd(() => store.close());
    return store;
  };
  const mustResume = async (store: ArtifactStore, ticket: string, parts: readonly StoredPart[] = []) => {
    const writer = await store.resume(ticket, parts, () => {});
    if (writer === null) throw new Error("the parts are not what they were");
    return writer;
  };

  registerArtifactStoreTests("S3", async () => {
    await server.empty();
    return {
      partBytes: 5 * MIB,
      open,
      contents: () => server.contents(),
      async spoil(ticket, part) {
        const { key, uploadId } = JSON.parse(ticket);
        const upload = { Bucket: server.bucket, Key: key, UploadId: uploadId };
        await server.s3.uploadPart({ ...upload, PartNumber: part.number, Body: someBytes(1234, part.bytes) });
      },
      async lose(ticket) {
        const { key, uploadId } = JSON.parse(ticket);
        await server.s3.abortMultipartUpload({ Bucket: server.bucket, Key: key, UploadId: uploadId });
      },
    };
  });

  describe("createS3Store", () => {
    it.each([false, true])("says what the object is and what to call it (empty: %s)", async (empty) => {
      await server.empty();
      const store = await open({ prefix: "a b/exp\u00f6rts/" });
      const ticket = await store.begin({ ...JOB, fileName: 'na\u00efve "x"\r\n.sql' });
      const writer = await mustResume(store, ticket);
      const location = await writer.complete(empty ? [] : [await writePart(writer, 1, someBytes(1, 100))]);
      await writer.close();
      expect(location).toBe("s3://exports/a b/exp\u00f6rts/job-1.sql");
      const head = await server.s3.headObject({ Bucket: server.bucket, Key: "a b/exp\u00f6rts/job-1.sql" });
      expect(head.ContentType).toBe("application/sql");
      expect(head.ContentDisposition).toBe(
        `attachment; filename="na?ve \\"x\\".sql"; filename*=UTF-8''na%C3%AFve%20%22x%22.sql`,
      );
    });

    it("signs the SHA-256 of each part, and sends nothing that servers other than Amazon's refuse", async () => {
      await server.empty();
      const proxy = await startMeddlingProxy(server.port);
      const store = await open({ endpoint: `http://127.0.0.1:${proxy.port}` });
      const writer = await mustResume(store, await store.begin(JOB));
      const bytes = someBytes(1, 6 * MIB);
      await writer.complete([await writePart(writer, 1, bytes)]);
      await writer.close();
      const part = proxy.seen.find((request) => request.url.includes("partNumber=1"));
      expect(part?.headers["x-amz-content-sha256"]).toBe(createHash("sha256").update(bytes).digest("hex"));
      expect(part?.headers.authorization).toContain("x-amz-content-sha256");
      for (const { headers } of proxy.seen) {
        const names = Object.keys(headers);
        expect(names.filter((name) => /checksum|trailer|expect|content-md5|^x-amz-acl/.test(name))).toEqual([]);
      }
    });

    it("has a part refused that was changed on its way, and sends it again when asked", async () => {
      await server.empty();
      const proxy = await startMeddlingProxy(server.port);
      const store = await open({ endpoint: `http://127.0.0.1:${proxy.port}` });
      const ticket = await store.begin(JOB);
      const writer = await mustResume(store, ticket);
      proxy.meddle((request) => {
        if (!request.url.includes("partNumber")) return "pass";
        const sendInstead = Buffer.from(request.body);
        sendInstead[70_000] = (sendInstead[70_000] ?? 0) ^ 1;
        return { sendInstead };
      });
      const bytes = someBytes(1, 200_000);
      await expect(writePart(writer, 1, bytes)).rejects.toMatchObject({ code: "ARTIFACT_STORE", retryable: true });
      proxy.meddle(() => "pass");
      const location = await writer.complete([await writePart(writer, 1, bytes)]);
      await writer.close();
      expect(location).toBe("s3://exports/job-1.sql");
    });

    it("ends unfinished uploads of its own key alone", async () => {
      await server.empty();
      const store = await open();
      await store.begin({ ...JOB, id: "job-1", fileName: "no ending" });
      await store.begin({ ...JOB, id: "job-10" });
      await store.begin(JOB);
      await store.begin({ ...JOB, id: "job-1", fileName: "no ending" });
      expect(await server.contents()).toEqual(["job-1 (upload)", "job-1.sql (upload)", "job-10.sql (upload)"]);
    });

    it("proves more parts than one answer names", async () => {
      await server.empty();
      const store = await open();
      const ticket = await store.begin(JOB);
      const { key, uploadId } = JSON.parse(ticket);
      const numbers = Array.from({ length: 1005 }, (_, i) => i + 1);
      const parts: StoredPart[] = [];
      const one = async () => {
        for (let number = numbers.pop(); number !== undefined; number = numbers.pop()) {
          const bytes = someBytes(number, 10);
          const upload = { Bucket: server.bucket, Key: key, UploadId: uploadId, PartNumber: number };
          const { ETag } = await server.s3.uploadPart({ ...upload, Body: bytes });
          parts[number - 1] = storedPart(number, bytes, ETag ?? null);
        }
      };
      await Promise.all(Array.from({ length: 10 }, one));
      await (await mustResume(store, ticket, parts)).close();
      const changed = parts.with(1003, { ...(parts[1003] as StoredPart), receipt: '"0"' });
      expect(await store.resume(ticket, changed, () => {})).toBeNull();
      const more = [...parts, storedPart(1006, someBytes(1, 10), '"0"')];
      expect(await store.resume(ticket, more, () => {})).toBeNull();
    });

    it("takes another's object for no finished export", async () => {
      await server.empty();
      const store = await open();
      const ticket = await store.begin(JOB);
      const writer = await mustResume(store, ticket);
      const part = await writePart(writer, 1, someBytes(1, 100));
      const { key, uploadId } = JSON.parse(ticket);
      await server.s3.abortMultipartUpload({ Bucket: server.bucket, Key: key, UploadId: uploadId });
      await server.s3.putObject({ Bucket: server.bucket, Key: key, Body: someBytes(2, 100) });
      await expect(writer.complete([part])).rejects.toMatchObject({ code: "ARTIFACT_STORE", retryable: true });
      await writer.close();
      expect(await store.resume(ticket, [part], () => {})).toBeNull();
    });

    it("has parts that 10,000 of are more than 440 GB, and no more than that", async () => {
      const store = await open();
      const writer = await mustResume(store, await store.begin(JOB));
      let bytes = 0;
      for (let number = 1; number <= 10_000; number += 1) {
        expect(writer.minPartBytes(number)).toBeGreaterThanOrEqual(5 * MIB);
        expect(writer.minPartBytes(number)).toBeLessThanOrEqual(5 * GIB);
        bytes += writer.minPartBytes(number);
      }
      expect(bytes).toBeGreaterThan(440e9);
      expect(() => writer.part(10_001)).toThrow(expect.objectContaining({ code: "ARTIFACT_STORE" }));
      await writer.close();
    });
  });
});
