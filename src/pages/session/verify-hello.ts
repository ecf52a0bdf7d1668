import { ReplicaError } from "../../errors.js";
import type { Frame, HelloFrame } from "../protocol/frame.js";
import { PROTOCOL_VERSION } from "../protocol/limits.js";
import { isPageSize } from "./page-size.js";
import { unexpectedFrame } from "./session-errors.js";

/**
 * What a server asks of the first frame.
 * @param direction what the client's token is for
 * @throws `PAGE_PROTOCOL`, `INVALID_TOKEN`
 */
export function verifyHello(frame: Frame, direction: "push" | "pull"): HelloFrame {
  if (frame.kind !== "hello") throw unexpectedFrame(frame.kind, "before `hello`");
  if (frame.protocolVersion !== PROTOCOL_VERSION) {
    const versions = `version ${PROTOCOL_VERSION} of the page sync protocol, and the client version ${frame.protocolVersion}`;
    throw new ReplicaError("PAGE_PROTOCOL", `This server speaks ${versions}.`);
  }
  if (!isPageSize(frame.pageSize)) {
    const sizes = "pages of SQLite have 512 to 65536, a power of two";
    throw new ReplicaError("PAGE_PROTOCOL", `\`page_size\` is ${frame.pageSize} bytes; ${sizes}.`);
  }
  const wanted = frame.extension?.direction ?? direction;
  if (wanted !== direction) {
    throw new ReplicaError("INVALID_TOKEN", `The token is for a ${direction}, and this is a ${wanted}.`);
  }
  return frame;
}
