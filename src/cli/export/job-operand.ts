import { UsageError } from "../usage-error.js";
import { isJobId } from "./verify-job.js";

/** @throws UsageError for what no job can be called */
export function jobOperand(operands: readonly string[]): string {
  const [id] = operands;
  if (id === undefined) throw new UsageError("which JOB? `starfish-replica export status` lists them");
  if (!isJobId(id)) throw new UsageError(`"${id}" is no job's id: \`starfish-replica export status\` lists them`);
  return id;
}
