import fc from "fast-check";
import { describe, it, vi } from "vitest";
import { startPrimary } from "../support/primary.js";
import { realDelay } from "../support/real-time.js";
import { size } from "../support/size.js";
import { waitFor } from "../support/wait.js";
import { type Fate, type Fault, Member } from "./member.js";
import { type Change, Oracle } from "./oracle.js";
import { PrimaryClient } from "./primary-client.js";

const MEMBERS = ["r0", "r1", "r2"] as const;
const STEPS = 100;

type Step =
  | { readonly kind: "write"; readonly who: number; readonly edits: readonly Edit[] }
  | { readonly kind: "line"; readonly who: number; readonly fault: Fault }
  | { readonly kind: "crash"; readonly who: number; readonly fate: Fate }
  | { readonly kind: "sync"; readonly who: number }
  | { readonly kind: "pause"; readonly ms: number };

interface Edit {
  readonly place: "top" | "tree" | "branch" | "shared" | "shared in tree";
  readonly field: number;
  /** A few values only, so that documents come back to what they were. `null`: the field goes. */
  readonly value: number | null;
}

const who = fc.nat({ max: 3 });
const member = fc.nat({ max: 2 });
const edit: fc.Arbitrary<Edit> = fc.record({
  place: fc.constantFrom("top", "tree", "branch", "shared", "shared in tree"),
  field: fc.nat({ max: 3 }),
  value: fc.option(fc.nat({ max: 2 }), { freq: 3 }),
});
const fate: fc.Arbitrary<Fate> = fc.record({
  after: fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 12, max: 60 })),
  lost: fc.boolean(),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant("write" as const),
      who,
      edits: fc.array(edit, { minLength: 1, maxLength: 3 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("line" as const),
      who: member,
      fault: fc.constantFrom<Fault>("pass", "pass", "cut", "lose answers", "black hole"),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("crash" as const), who: member, fate }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("sync" as const), who: member }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("pause" as const), ms: fc.nat({ max: 25 }) }) },
);
const story = fc.record({
  begun: fc.boolean(),
  fate,
  steps: fc.array(step, { minLength: STEPS, maxLength: STEPS, size: "max" }),
});

/**
 * Each writer's own fields, and some that all write, half of which nobody removes. Values of shared fields are never used twice, so that
 * each tells where it came from.
 */
function change({ place, field, value }: Edit, writer: string, turn: number): Change {
  const shared = place === "shared" || place === "shared in tree";
  const removed = value === null && !(shared && field < 2);
  const given = removed ? undefined : shared ? `${writer}:${turn}` : value;
  const paths = {
    top: [`${writer}_${field}`],
    tree: ["tree", `${writer}_${field}`],
    branch: ["tree", writer, `k${field}`],
    shared: [`s${field}`],
    "shared in tree": ["tree", `s${field}`],
  };
  return { path: paths[place], value: given, shared };
}

async function play({
  begun,
  fate: first,
  steps,
}: {
  begun: boolean;
  fate: Fate;
  steps: readonly Step[];
}): Promise<void> {
  const primary = await startPrimary();
  const oracle = new Oracle();
  const direct = new PrimaryClient(primary, oracle);
  if (begun) await direct.write([{ path: ["begun"], value: true, shared: false }]);
  const members = await Promise.all(MEMBERS.map((name) => Member.start(name, primary, oracle, first)));
  try {
    let turn = 0;
    for (const next of steps) {
      turn += 1;
      for (const one of members) if (one.dead) await one.restart();
      await take(next, members, direct, turn);
    }
    for (const one of members) {
      await one.restart();
      await one.setLine("pass");
    }
    await waitFor(async () => await agree(members, direct), { timeoutMs: 15_000, what: "all four to agree" });
    oracle.verifyEnd((await direct.read()).data);
  } finally {
    await Promise.all(members.map((one) => one.stop()));
    await primary.stop();
  }
}

async function take(step: Step, members: readonly Member[], direct: PrimaryClient, turn: number): Promise<void> {
  if (step.kind === "pause") return await realDelay(step.ms);
  const one = members[step.who];
  if (step.kind === "write") {
    const writer = one ?? direct;
    return await writer.write(step.edits.map((edit) => change(edit, writer.name, turn)));
  }
  if (!one) return;
  if (step.kind === "crash") return await one.restart(step.fate);
  if (step.kind === "sync") return void one.sync();
  await one.setLine(step.fault);
}

async function agree(members: readonly Member[], direct: PrimaryClient): Promise<boolean> {
  const { hash } = await direct.read();
  const shown = await Promise.all(members.map((one) => one.read()));
  return shown.every((document) => document?.hash === hash) && members.every((one) => one.isQuiet);
}

describe("a primary and three bidirectional replicas", () => {
  it("come to one document that has every write nobody overwrote, whatever lines and processes do", {
    timeout: 60 * 60_000,
  }, async () => {
    // The host reports each of its stores' deaths.
    vi.spyOn(console, "error").mockImplementation(() => {});
    const seed = Number(process.env.STARFISH_TEST_SEED ?? Date.now() % 2 ** 31);
    const numRuns = size({ test: 3, ci: 40, soak: 500 });
    process.stdout.write(`convergence: STARFISH_TEST_SEED=${seed}, ${numRuns * STEPS} steps\n`);
    await fc.assert(fc.asyncProperty(story, play), { seed, numRuns, endOnFailure: true, verbose: false });
    vi.restoreAllMocks();
  });
});
