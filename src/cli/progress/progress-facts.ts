/** How a long command gets on. */
export interface ProgressFacts {
  /** What is being done, in a word or two, or the file that it is done to. */
  readonly label: string;
  /** How much is done, in bytes. */
  readonly done: number;
  /** How much there is to do; `null` where nobody knows. */
  readonly total: number | null;
  /** What else to tell, most important first: a narrow terminal leaves out the last ones. */
  readonly details?: readonly string[];
  /** What programs are told, in place of all that. */
  readonly data: Readonly<Record<string, unknown>>;
}

/** Where progress is shown, on one stream that other messages go to as well. */
export interface ProgressLine {
  /** May be called as often as there is something new: it shows no more of it than anybody can read. */
  show(facts: ProgressFacts): void;
  /** Prints a line of its own, which stays. For programs `data` is put in its place. */
  say(text: string, data: Readonly<Record<string, unknown>>): void;
  /** Nothing is in progress any more: takes the line away, or shows the last facts where they were not shown. */
  end(): void;
}
