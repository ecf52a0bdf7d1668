/** Wrong usage: the command line cannot be carried out as it stands. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "UsageError";
  }
}
