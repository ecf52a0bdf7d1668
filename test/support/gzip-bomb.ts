import { gzipSync } from "node:zlib";
import type { Behaviour } from "./hostile-server.js";

const MIB = 1024 * 1024;

/**
 * A right answer to a pull but for its hash, with `content-encoding: gzip`, that is some hundred kilobytes on the wire and `mebibytes`
 * (default 128) when unpacked. One mebibyte is packed once and repeated, since a gzip file may have several members.
 */
export function gzipBomb(mebibytes = 128): Behaviour {
  const filler = gzipSync(Buffer.alloc(MIB, "x"));
  const parts = [gzipSync(`{"hash":"${"0".repeat(64)}","timestamp":1,"data":{"text":"`)];
  for (let count = 0; count < mebibytes; count += 1) parts.push(filler);
  parts.push(gzipSync('"}}'));
  const body = Buffer.concat(parts);
  return (_request, response) => {
    response.writeHead(200, {
      "content-type": "application/json",
      "content-encoding": "gzip",
      "content-length": body.byteLength,
    });
    response.end(body);
  };
}
