import { ReplicaError } from "../../errors.js";

/** A table that stands where the copy should go and that no task of ours has made. */
export function targetTaken(target: string): ReplicaError {
  return new ReplicaError(
    "TARGET_TAKEN",
    `targetTable: the local file already has a table "${target}" that is not ours`,
    { hint: "choose another targetTable, or drop that table" },
  );
}
