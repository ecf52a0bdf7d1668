/** Something that was to be so. */
export interface Fact {
  /** The collection and its mode, or what else it is about. */
  readonly about: string;
  readonly what: string;
  /** `null` when it is so, else what was found instead. */
  readonly difference: string | null;
}

/** Compares what was found with what was to be found. */
export type Verify = (what: string, found: unknown, expected: unknown) => void;

/** Facts about one thing in the world of a demo. */
export type RoundPart<World> = readonly [about: string, verify: (world: World, verify: Verify) => Promise<void>];
