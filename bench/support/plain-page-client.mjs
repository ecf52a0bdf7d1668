/**
 * One push or pull as clients of the original protocol do it: a frame with the hash of each page, and a frame for each page that differs; a pull writes pages
 * into the file as they come. Its argument is JSON: `url`, `token`, `direction`, `file`. It hashes, reads and sends with what ours does, and tells its parent `{ pages }`.
 */

import { once } from "node:events";
import { closeSync, fstatSync, fsyncSync, openSync, readSync, writeSync } from "node:fs";
import { setImmediate as turn } from "node:timers/promises";
import { decode, Encoder } from "@msgpack/msgpack";
import { createBLAKE3 } from "hash-wasm";
import { WebSocket } from "ws";

const PAGE = 4096;
const READ_BYTES = 2 * 1024 * 1024;
const ROOM_BYTES = 256 * 1024;

const { url, token, direction, file } = JSON.parse(process.argv[2]);
const socket = new WebSocket(url, {
  headers: { authorization: `Bearer ${token}` },
  perMessageDeflate: false,
  generateMask: (mask) => mask.fill(0),
});
const fd = openSync(file, direction === "pull" ? "r+" : "r");
const maxPage = Math.ceil(fstatSync(fd).size / PAGE);
const encoder = new Encoder();
const page = Buffer.alloc(PAGE);
let pages = 0;

function send(frame) {
  const map = encoder.encodeSharedRef(frame);
  const bytes = Buffer.allocUnsafe(1 + map.length);
  bytes[0] = 1;
  bytes.set(map, 1);
  socket.send(bytes);
}

async function sendHashes() {
  const blake3 = await createBLAKE3();
  const buffer = Buffer.allocUnsafe(READ_BYTES);
  for (let first = 1; first <= maxPage; first += READ_BYTES / PAGE) {
    const part = buffer.subarray(0, readSync(fd, buffer, 0, READ_BYTES, (first - 1) * PAGE));
    for (let at = 0; at < part.length; at += PAGE) {
      const hash = blake3
        .init()
        .update(part.subarray(at, at + PAGE))
        .digest("binary");
      send({ kind: "page_hash", data: { page_no: first + at / PAGE, hash } });
    }
    do await turn();
    while (socket.bufferedAmount > ROOM_BYTES);
  }
  send({ kind: "complete" });
}

const ended = new Promise((resolve, reject) => {
  socket.on("error", reject);
  socket.on("close", () => reject(new Error("the server closed the connection")));
  socket.on("message", (message) => {
    const { kind, data } = decode(message.subarray(1));
    if (kind === "hello_reply") sendHashes().catch(reject);
    else if (kind === "request_page") {
      pages += 1;
      const length = readSync(fd, page, 0, PAGE, (data.page_no - 1) * PAGE);
      send({ kind: "page_data", data: { page_no: data.page_no, data: page.subarray(0, length) } });
    } else if (kind === "page_data") {
      pages += 1;
      writeSync(fd, data.data, 0, data.data.length, (data.page_no - 1) * PAGE);
    } else if (kind === "sync_complete") resolve();
    else reject(new Error(kind === "error" ? data.message : `unexpected ${kind}`));
  });
});

await once(socket, "open");
send({ kind: "hello", data: { protocol_version: 1, page_size: PAGE, max_page: maxPage } });
await ended;
if (direction === "pull") fsyncSync(fd);
closeSync(fd);
socket.close();
process.send({ pages });
process.disconnect();
