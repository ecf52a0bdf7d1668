/** The longest that Node's timers hold: beyond it they fire at once, with a process warning, which anybody could cause with every call. */
const LONGEST_MS = 2 ** 31 - 1;
const UNITS_MS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 0.001, n: 0.000_001 };

/** The headers of a call without a deadline that no timer holds: whoever waits for weeks waits for ever. Any other, malformed ones too, is left to Connect. */
export function dropEndlessDeadline(header: Headers): Headers {
  const [, amount, unit = ""] = /^(\d{1,8})([HMSmun])$/.exec(header.get("Grpc-Timeout") ?? "") ?? [];
  const grpcMs = Number(amount ?? 0) * (UNITS_MS[unit] ?? 0);
  const connectMs = Number(/^\d{1,10}$/.exec(header.get("Connect-Timeout-Ms") ?? "")?.[0] ?? 0);
  if (Math.max(grpcMs, connectMs) <= LONGEST_MS) return header;
  const kept = new Headers(header);
  kept.delete("Grpc-Timeout");
  kept.delete("Connect-Timeout-Ms");
  return kept;
}
