import { type Channel, channel } from "node:diagnostics_channel";
import type { ExportJob } from "./export-job.js";

/** Name of the diagnostics channel on which an `ExportJob` is published. https://nodejs.org/api/diagnostics_channel.html */
export const EXPORT_EVENTS = "starfish-replica:exports";

const events: Channel = channel(EXPORT_EVENTS);

/** Tells everybody who listens. A handler does no harm: what it throws becomes a process warning. */
export function tellJob(job: ExportJob, handler: ((job: ExportJob) => void) | undefined): void {
  if (events.hasSubscribers) events.publish(job);
  // An async handler is one too, whatever its type says.
  const told = new Promise((resolve) => resolve(handler?.(job)));
  told.catch((thrown) => process.emitWarning(thrown instanceof Error ? thrown : new Error(String(thrown))));
}
