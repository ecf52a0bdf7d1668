import type { ReplicaError } from "../errors.js";

export type ErrorHandler = (name: string, error: ReplicaError) => void;

/** A caller's handler that can do no harm: what it throws becomes a process warning. Without one, errors only show in `status()`. */
export function guardErrorHandler(onError: ErrorHandler = () => {}): ErrorHandler {
  return (name, error) => {
    // An async handler is one too, whatever its type says.
    const told = new Promise((resolve) => resolve(onError(name, error)));
    told.catch((thrown) => process.emitWarning(thrown instanceof Error ? thrown : new Error(String(thrown))));
  };
}
