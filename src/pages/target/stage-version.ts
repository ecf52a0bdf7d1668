import { closeSync, openSync, rmSync, writeSync, writevSync } from "node:fs";
import { ReplicaError } from "../../errors.js";
import type { PageSource } from "../source/page-source.js";
import { finishVersion, type StagedVersion } from "./finish-version.js";
import { PageSet } from "./page-set.js";
import type { FinishOptions } from "./put-version.js";
import { mapTargetError } from "./target-error.js";

export interface StageOptions {
  /** The file that it is for, as `resolveTarget` gives it. */
  readonly path: string;
  /** A folder of the pull's own, for the hashes of what is staged. */
  readonly workDir: string;
  /** Bytes of a page as the session counts: the database's own page size, or a plain session's unit. */
  readonly unit: number;
  /** In units. */
  readonly unitCount: number;
  /**
   * Where units come from that are not put: the local moment, with the page 1 that was received where the file is unchanged since (`withPageOne`). Its page
   * size may be another: then units are cut from it as from a file. `null`: all units are put. Closed by its owner, after `finish`.
   */
  readonly source: PageSource | null;
}

/** A version that is being put together in a file beside its target. */
export interface Staging {
  /**
   * In any order, each once; the last one may be shorter. Blocks for as long as the writes take.
   * @throws `PAGE_PROTOCOL` for a page that comes twice, or has a wrong number or size; `LOCAL_DATABASE`
   */
  put(pages: readonly { readonly pageNo: number; readonly data: Uint8Array }[]): void;
  /**
   * Takes the rest from the source, and proves the whole.
   * @throws `INTEGRITY_FAILED`, `LOCAL_DATABASE`, the signal's reason
   */
  finish(options: FinishOptions): Promise<StagedVersion>;
  /** Gives it up and removes the file. After `finish` it does nothing: then the version is to be closed. */
  close(): void;
}

/**
 * Begins a version in `<file>-replica-part`, readable by its user alone. What a pull that was cut short has left there is removed.
 * @throws `LOCAL_DATABASE`
 */
export function stagePulledVersion(options: StageOptions): Staging {
  const stagedPath = `${options.path}-replica-part`;
  try {
    for (const ending of ["", "-journal", "-wal", "-shm"]) rmSync(`${stagedPath}${ending}`, { force: true });
    // Made anew: what was left there may be the target itself, by a second name (`placeVersion`).
    return new OpenStaging(options, stagedPath, openSync(stagedPath, "wx+", 0o600));
  } catch (error) {
    throw mapTargetError(error, `The pulled version ${stagedPath} cannot be written`);
  }
}

class OpenStaging implements Staging {
  readonly #options: StageOptions;
  readonly #stagedPath: string;
  readonly #fd: number;
  readonly #put = new PageSet();
  /** Of the last unit, once it came. */
  #lastBytes: number | null = null;
  #isOver = false;

  constructor(options: StageOptions, stagedPath: string, fd: number) {
    this.#options = options;
    this.#stagedPath = stagedPath;
    this.#fd = fd;
  }

  put(pages: readonly { readonly pageNo: number; readonly data: Uint8Array }[]): void {
    const { unit, unitCount } = this.#options;
    for (const { pageNo, data } of pages) {
      if (!Number.isSafeInteger(pageNo) || pageNo < 1 || pageNo > unitCount) {
        throw broken(`page ${pageNo} of ${unitCount}`);
      }
      const isLast = pageNo === unitCount;
      if (data.length !== unit && !(isLast && data.length > 0 && data.length < unit)) {
        throw broken(`page ${pageNo} with ${data.length} bytes instead of ${unit}`);
      }
      if (!this.#put.add(pageNo)) throw broken(`page ${pageNo} twice`);
      if (isLast) this.#lastBytes = data.length;
    }
    for (let start = 0; start < pages.length; ) {
      const first = pages[start]?.pageNo ?? 0;
      let count = 1;
      while (pages[start + count]?.pageNo === first + count) count++;
      const run = pages.slice(start, start + count).map(({ data }) => data);
      this.#writeRun(run, (first - 1) * unit);
      start += count;
    }
  }

  async finish(options: FinishOptions): Promise<StagedVersion> {
    const { unit, unitCount, source, workDir } = this.#options;
    try {
      const version = await finishVersion(
        {
          fd: this.#fd,
          stagedPath: this.#stagedPath,
          workDir,
          unit,
          unitCount,
          source,
          isPut: (pageNo) => this.#put.has(pageNo),
          lastBytes: this.#lastBytes,
          write: (bytes, at) => this.#write(bytes, at),
        },
        options,
      );
      this.#isOver = true;
      closeSync(this.#fd);
      return version;
    } catch (error) {
      this.close();
      throw mapTargetError(error, `The pulled version ${this.#stagedPath} cannot be completed`);
    }
  }

  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    closeSync(this.#fd);
    rmSync(this.#stagedPath, { force: true });
  }

  /** One call of the system for pages that stand next to each other takes a quarter of one for each. */
  #writeRun(run: readonly Uint8Array[], at: number): void {
    try {
      const done = writevSync(this.#fd, run, at);
      const bytes = run.reduce((sum, { length }) => sum + length, 0);
      if (done < bytes) this.#write(Buffer.concat(run).subarray(done), at + done);
    } catch (error) {
      throw mapTargetError(error, `The pulled version ${this.#stagedPath} cannot be written`);
    }
  }

  #write(bytes: Uint8Array, at: number): void {
    try {
      for (let done = 0; done < bytes.length; ) {
        done += writeSync(this.#fd, bytes, done, bytes.length - done, at + done);
      }
    } catch (error) {
      throw mapTargetError(error, `The pulled version ${this.#stagedPath} cannot be written`);
    }
  }
}

function broken(what: string): ReplicaError {
  return new ReplicaError("PAGE_PROTOCOL", `The server sent ${what}`);
}
