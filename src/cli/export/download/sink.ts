/** Where the bytes of a download go, one after the other. */
export interface Sink {
  /** How many it has. */
  readonly bytes: number;
  write(chunk: Uint8Array): Promise<void>;
  /** SHA-256 of all it has, in lowercase hex. */
  digest(): string;
}
