import { isDeepStrictEqual } from "node:util";
import type { Fact, RoundPart, Verify } from "./fact.js";

/** Verifies one part after the other and tells each fact. A part that fails half way is a fact that differs. */
export async function verifyParts<World>(
  parts: readonly RoundPart<World>[],
  world: World,
  tell: (fact: Fact) => void,
): Promise<void> {
  for (const [about, part] of parts) {
    const verify: Verify = (what, found, expected) => {
      const equal = isDeepStrictEqual(found, expected);
      tell({ about, what, difference: equal ? null : `expected ${show(expected)}, found ${show(found)}` });
    };
    await part(world, verify).catch((error: unknown) => {
      tell({ about, what: "the round goes through", difference: error instanceof Error ? error.message : show(error) });
    });
  }
}

function show(value: unknown): string {
  return JSON.stringify(value) ?? String(value);
}
