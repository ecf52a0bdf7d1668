import { basename } from "node:path";
import type { PageSyncProgress } from "../../pages/page-client.js";
import type { ProgressFacts } from "../progress/progress-facts.js";
import { showBytes, showCount } from "../progress/show-amount.js";

const LABELS = {
  reading: "Reading",
  comparing: "Comparing",
  transferring: { push: "Pushing", pull: "Pulling" },
  writing: "Writing",
  checking: "Checking",
} as const;

/** How a sync gets on, for a line that is drawn while it runs. */
export function syncProgress(direction: "push" | "pull", file: string, progress: PageSyncProgress): ProgressFacts {
  const { phase, pagesDone, pagesTotal, pageSize, bytesSent, bytesReceived } = progress;
  const label = LABELS[phase];
  const pages =
    pagesTotal === null
      ? showCount(pagesDone, "page")
      : `${pagesDone.toLocaleString("en-US")} of ${showCount(pagesTotal, "page")}`;
  const wire = `${showBytes(bytesSent)} sent, ${showBytes(bytesReceived)} received`;
  return {
    label: `${typeof label === "string" ? label : label[direction]} ${basename(file)}`,
    done: pagesDone * pageSize,
    total: pagesTotal === null ? null : pagesTotal * pageSize,
    details: [pages, wire],
    data: { direction, file, ...progress },
  };
}
