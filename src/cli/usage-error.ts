/** Wrong usage: the command line cannot be carried out as it stands. */
export class UsageError extends Error {
  /** What to show below the message, where it is not what `--help` prints. */
  readonly usage: string | undefined;

  constructor(message: string, usage?: string) {
    super(message);
    this.name = "UsageError";
    this.usage = usage;
  }
}
