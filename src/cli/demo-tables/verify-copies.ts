import type { VerifyResult } from "../../tables/tasks/table-task.js";
import { TABLES } from "./table-rows.js";
import type { World } from "./world.js";

/** Compares every table with its source, and says of each how it is. Nobody must delete rows at the source meanwhile. */
export async function verifyCopies({ tables }: Pick<World, "tables">): Promise<{ equal: boolean; words: string }> {
  const results: [string, VerifyResult][] = [];
  for (const table of TABLES) {
    // A row that was deleted since the last comparison is a difference.
    await tables.runTask(table);
    results.push([table, await tables.verify(table)]);
  }
  const equal = results.every(([, result]) => result.equal);
  return { equal, words: `verified: ${results.map(([table, result]) => `${table} ${inWords(result)}`).join(", ")}` };
}

function inWords({ equal, missing, extra, different }: VerifyResult): string {
  return equal ? "equal" : `differs (${missing} missing, ${extra} extra, ${different} different)`;
}
