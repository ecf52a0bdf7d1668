import { beforeAll, describe, expect, it } from "vitest";
import { createS3Store } from "../../../src/exports/artifacts/s3-store.js";
import { atEnd } from "../../support/at-end.js";
import { s3ServerMissing, startS3Server, type TestS3 } from "../../support/s3-server.js";
import { registerArtifactStoreTests } from "./artifact-store-conformance.js";
import { readAll, someBytes, writePart } from "./written-artifact.js";

const missing = s3ServerMissing();
const MIB = 1024 * 1024;

describe.skipIf(missing !== null)(`S3${missing === null ? "" : ` (${missing})`}`, () => {
  let server: TestS3;
  beforeAll(async () => {
    server = await startS3Server();
  }, 60_000);

  const open = async (more: { prefix?: string } = {}) => {
    const store = await createS3Store({ ...server.options(), ...more });
    atEnd(() => store.close());
    return store;
  };

  registerArtifactStoreTests("S3", async () => {
    await server.empty();
    return {
      partBytes: 5 * MIB,
      open,
      contents: () => server.contents(),
      async spoil(ticket, part) {
        const { key, uploadId } = JSON.parse(ticket);
        await server.s3.uploadPart({
          Bucket: server.bucket,
          Key: key,
          UploadId: uploadId,
          PartNumber: part.number,
          Body: someBytes(1234, part.bytes),
        });
      },
      async lose(ticket) {
        const { key, uploadId } = JSON.parse(ticket);
        await server.s3.abortMultipartUpload({ Bucket: server.bucket, Key: key, UploadId: uploadId });
      },
    };
  });
  void readAll;
  void writePart;
  void expect;
  void it;
});
