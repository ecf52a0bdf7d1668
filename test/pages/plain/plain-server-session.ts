import { blake3 } from "hash-wasm";
import type { PlainFrame } from "./plain-frames.js";

const PAGE_SIZE = 4096;

/** What an original server keeps: bytes that only ever grow. */
export interface PlainFile {
  bytes: Buffer;
}

/** One sync at an original server: page n stands at `(n - 1) * 4096`, single frames only, nothing is staged, nothing is truncated. */
export class PlainServerSession {
  readonly #file: PlainFile;
  readonly #direction: "push" | "pull";
  readonly #named = new Set<number>();
  readonly #wanted = new Set<number>();
  #room: Buffer = Buffer.from(new ArrayBuffer(0));
  #complete = false;
  #pages = 0;

  constructor(file: PlainFile, direction: "push" | "pull") {
    this.#file = file;
    this.#direction = direction;
  }

  /** @returns what it sends */
  async receive({ kind, data }: PlainFrame): Promise<readonly PlainFrame[]> {
    switch (kind) {
      case "hello":
        return [{ kind: "hello_reply", data: { protocol_version: 1, page_size: PAGE_SIZE, max_page: this.#maxPage } }];
      case "page_hash":
        return this.#compare(data.page_no, data.hash);
      case "page_data":
        this.#write(data.page_no, data.data);
        return this.#mayEnd();
      case "complete":
        this.#complete = true;
        return this.#direction === "pull" ? this.#sendRest() : this.#mayEnd();
      case "error":
        throw new Error(data.message);
      default:
        return [{ kind: "error", data: { message: `unexpected ${kind}` } }];
    }
  }

  get #maxPage(): number {
    return Math.ceil(this.#file.bytes.length / PAGE_SIZE);
  }

  #page(pageNo: number): Buffer {
    return this.#file.bytes.subarray((pageNo - 1) * PAGE_SIZE, pageNo * PAGE_SIZE);
  }

  async #compare(pageNo: number, hash: Uint8Array): Promise<readonly PlainFrame[]> {
    this.#named.add(pageNo);
    const isEqual = pageNo <= this.#maxPage && (await blake3(this.#page(pageNo))) === Buffer.from(hash).toString("hex");
    if (isEqual) return [];
    if (this.#direction === "pull") return pageNo <= this.#maxPage ? [this.#send(pageNo)] : [];
    this.#wanted.add(pageNo);
    return [{ kind: "request_page", data: { page_no: pageNo } }];
  }

  #write(pageNo: number, data: Uint8Array): void {
    const end = (pageNo - 1) * PAGE_SIZE + data.length;
    if (end > this.#file.bytes.length) this.#grow(end);
    this.#file.bytes.set(data, (pageNo - 1) * PAGE_SIZE);
    this.#wanted.delete(pageNo);
    this.#pages += 1;
  }

  /** With room for as much again, or each page would be copied for each that follows. */
  #grow(length: number): void {
    if (this.#file.bytes.buffer !== this.#room.buffer || length > this.#room.length) {
      this.#room = Buffer.alloc(2 * length);
      this.#room.set(this.#file.bytes);
    }
    this.#file.bytes = this.#room.subarray(0, length);
  }

  #send(pageNo: number): PlainFrame {
    this.#pages += 1;
    return { kind: "page_data", data: { page_no: pageNo, data: this.#page(pageNo) } };
  }

  #sendRest(): readonly PlainFrame[] {
    const frames: PlainFrame[] = [];
    for (let pageNo = 1; pageNo <= this.#maxPage; pageNo += 1) {
      if (!this.#named.has(pageNo)) frames.push(this.#send(pageNo));
    }
    return [...frames, ...this.#mayEnd()];
  }

  #mayEnd(): readonly PlainFrame[] {
    if (!this.#complete || this.#wanted.size > 0) return [];
    const data = { pages_transferred: this.#pages, bytes_transferred: this.#pages * PAGE_SIZE };
    return [{ kind: "sync_complete", data }];
  }
}
