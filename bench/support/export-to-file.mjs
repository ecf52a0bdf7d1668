import { createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { EXPORTS } from "./contender.mjs";
import { peakRssMB } from "./peak-rss.mjs";

/** A stream of ours into a file, through the public API; `ms` from importing the package until the file is whole. */
export async function streamToFile({ database, dir, selection, target }) {
  const start = performance.now();
  const { createExports } = await import(EXPORTS);
  const exports = createExports({ database, dir });
  await exports.start();
  const { body } = await exports.stream(selection);
  await pipeline(Readable.fromWeb(body), createWriteStream(target));
  const ms = performance.now() - start;
  await exports.stop();
  return { ms, rssMB: peakRssMB() };
}
