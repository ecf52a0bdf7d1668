/** Where a command prints. */
export interface Output {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

/** Where a command prints, and reads keys. */
export interface Terminal extends Output {
  readonly stdin: NodeJS.ReadStream;
}
