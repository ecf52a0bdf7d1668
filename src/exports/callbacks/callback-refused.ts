import { ReplicaError } from "../../errors.js";

/** @param mistake goes on after the field's name */
export function callbackRefused(mistake: string): ReplicaError {
  return new ReplicaError("CALLBACK_REFUSED", `callbackUrl ${mistake}`, {
    hint: "Give a URL that this server may call, or none.",
  });
}
