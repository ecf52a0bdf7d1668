import { readFileSync, writeFileSync } from "node:fs";

/** The most memory that this process has had, in bytes. */
export function peakMemory(): number {
  if (process.platform !== "linux") return process.resourceUsage().maxRSS * 1024;
  // `maxRSS` begins with what the parent had.
  const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "latin1")) ?? [];
  return Number(kilobytes) * 1024;
}

/** From here on only what comes counts, on Linux: see clear_refs in https://docs.kernel.org/filesystems/proc.html. */
export function forgetPeakMemory(): void {
  if (process.platform === "linux") writeFileSync("/proc/self/clear_refs", "5");
}
