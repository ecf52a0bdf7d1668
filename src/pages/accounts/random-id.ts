import { randomBytes } from "node:crypto";

const ID_BYTES = 16;
const STATE_BYTES = 32;

/** 32 lowercase hex digits: nobody can guess them, file systems that ignore case keep them apart, and no command line takes one for an option. */
export function randomId(): string {
  return randomBytes(ID_BYTES).toString("hex");
}

/** 64 lowercase hex digits. */
export function randomState(): string {
  return randomBytes(STATE_BYTES).toString("hex");
}
