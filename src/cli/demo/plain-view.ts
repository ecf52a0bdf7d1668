import type { OutboxRow, Row } from "./rows.js";
import { formatStaleness, shortHash } from "./table.js";
import type { Output } from "./terminal.js";
import type { View } from "./view.js";

/** Lines for a pipe or a file: one for each change of a collection, at most one per second and collection. */
export function createPlainView({ stdout, stderr }: Output): View {
  const printed = new Map<string, string>();
  return {
    everyMs: 1_000,
    show({ rows }) {
      const time = new Date().toISOString().slice(11, 19);
      for (const row of rows) {
        const facts = describe(row);
        if (printed.get(row.collection) === facts.changing) continue;
        printed.set(row.collection, facts.changing);
        stdout.write(`${time} ${row.collection} mode=${row.mode} ${facts.changing} ${facts.staleness}\n`);
      }
    },
    complain(text) {
      stderr.write(`${text}\n`);
    },
    close() {},
  };
}

function describe({ localHash, primaryHash, outbox, stalenessMs, lastError, recovered }: Row): {
  changing: string;
  staleness: string;
} {
  const error = lastError === null ? "-" : recovered ? `${lastError}(recovered)` : lastError;
  return {
    changing: `local=${shortHash(localHash, 12)} primary=${shortHash(primaryHash, 12)} outbox=${state(outbox)} error=${error}`,
    staleness: `staleness=${formatStaleness(stalenessMs).replace(" ", "")}`,
  };
}

function state(outbox: OutboxRow | null): string {
  if (outbox?.deadLetter) return `dead-letter:${outbox.deadLetter}`;
  if (outbox?.waiting) return "waiting";
  return outbox?.sent ? `sent:${outbox.sent}` : "-";
}
