/** Reads a file once and hashes it with BLAKE3: `whole`, or each `page` of 4096 bytes. */
import { closeSync, openSync, readSync } from "node:fs";
import { createBLAKE3 } from "hash-wasm";

const [path, mode] = process.argv.slice(2);
const PAGE = 4096;
const blake3 = await createBLAKE3();
const buffer = Buffer.allocUnsafe(2 * 1024 * 1024);
const fd = openSync(path, "r");
blake3.init();
for (;;) {
  const part = buffer.subarray(0, readSync(fd, buffer, 0, buffer.length, null));
  if (part.length === 0) break;
  if (mode === "whole") blake3.update(part);
  else
    for (let at = 0; at < part.length; at += PAGE)
      blake3
        .init()
        .update(part.subarray(at, at + PAGE))
        .digest("binary");
}
closeSync(fd);
if (mode === "whole") console.log(blake3.digest());
