import { blake3 } from "hash-wasm";
import { type RawData, WebSocket } from "ws";
import { type PlainFrame, plainDecode, plainEncode } from "./plain-frames.js";

const PAGE_SIZE = 4096;

export interface PlainResult {
  /** What the client has at the end. */
  readonly bytes: Buffer;
  /** What `sync_complete` said. */
  readonly pagesTransferred: number;
  readonly bytesTransferred: number;
  /** On the wire, frames only. */
  readonly bytesSent: number;
  readonly bytesReceived: number;
  /** Every frame that came, in order. */
  readonly received: readonly PlainFrame[];
}

/** Pushes as an original client does: one hash per page, pages as they are asked for. @throws with the words of an `error` frame, or when the server closes early */
export function push(url: string, token: string, bytes: Uint8Array): Promise<PlainResult> {
  return sync(url, token, Buffer.from(bytes), "push");
}

/** Pulls as an original client does; `bytesIHave` is what it has already. Of what the server no longer has, nothing is cut off. @throws as `push` */
export function pull(url: string, token: string, bytesIHave: Uint8Array = new Uint8Array()): Promise<PlainResult> {
  return sync(url, token, Buffer.from(bytesIHave), "pull");
}

function sync(url: string, token: string, start: Buffer, direction: "push" | "pull"): Promise<PlainResult> {
  const socket = new WebSocket(url, { headers: { authorization: `Bearer ${token}` } });
  const received: PlainFrame[] = [];
  const maxPage = Math.ceil(start.length / PAGE_SIZE);
  let bytes = start;
  let bytesSent = 0;
  let bytesReceived = 0;
  const send = (frame: PlainFrame): void => {
    const message = plainEncode(frame);
    bytesSent += message.length;
    socket.send(message);
  };
  const page = (pageNo: number): Buffer => bytes.subarray((pageNo - 1) * PAGE_SIZE, pageNo * PAGE_SIZE);
  const sendHashes = async (): Promise<void> => {
    for (let pageNo = 1; pageNo <= maxPage; pageNo += 1) {
      const hash = Buffer.from(await blake3(start.subarray((pageNo - 1) * PAGE_SIZE, pageNo * PAGE_SIZE)), "hex");
      send({ kind: "page_hash", data: { page_no: pageNo, hash } });
    }
    send({ kind: "complete" });
  };
  return new Promise((resolve, reject) => {
    const take = (message: RawData): void => {
      const frame = plainDecode(message as Buffer);
      const { kind, data } = frame;
      received.push(frame);
      bytesReceived += (message as Buffer).length;
      if (kind === "hello_reply") void sendHashes().catch(reject);
      else if (kind === "request_page")
        send({ kind: "page_data", data: { page_no: data.page_no, data: page(data.page_no) } });
      else if (kind === "page_data" && direction === "pull") bytes = withPage(bytes, data.page_no, data.data);
      else if (kind === "sync_complete") {
        const { pages_transferred: pagesTransferred, bytes_transferred: bytesTransferred } = data;
        resolve({ bytes, pagesTransferred, bytesTransferred, bytesSent, bytesReceived, received });
        socket.close();
      } else reject(new Error(kind === "error" ? data.message : `unexpected ${kind}`));
    };
    socket.on("open", () =>
      send({ kind: "hello", data: { protocol_version: 1, page_size: PAGE_SIZE, max_page: maxPage } }),
    );
    socket.on("message", take);
    socket.on("error", reject);
    socket.on("close", () => reject(new Error("the server closed the connection")));
  });
}

function withPage(bytes: Buffer, pageNo: number, data: Uint8Array): Buffer {
  const start = (pageNo - 1) * PAGE_SIZE;
  const end = start + data.length;
  const grown = end > bytes.length ? Buffer.concat([bytes, Buffer.alloc(end - bytes.length)]) : bytes;
  grown.set(data, start);
  return grown;
}
