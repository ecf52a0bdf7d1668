import { readFileSync } from "node:fs";

const MB = 1_000_000;

/**
 * The most memory that a process has had resident so far, in MB; `undefined` where it is gone or the system does not say. Not
 * `resourceUsage().maxRSS`: that begins with what the parent had.
 */
export function peakRssMB(pid = process.pid) {
  try {
    const [, kilobytes] = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
    return (Number(kilobytes) * 1024) / MB;
  } catch {
    return undefined;
  }
}
