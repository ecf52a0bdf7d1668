import type { PageSyncResult } from "../../pages/page-client.js";
import { printable } from "../printable.js";
import { showBytes, showCount } from "../progress/show-amount.js";

/** One line about a sync that went well. */
export function syncSummary(direction: "push" | "pull", file: string, result: PageSyncResult): string {
  const { changed, generation, pageCount, pageSize, pagesTransferred, bytesSent, bytesReceived } = result;
  const name = printable(file);
  const at = generation === null ? "" : `, generation ${generation}`;
  const wire = `${showBytes(bytesSent)} sent, ${showBytes(bytesReceived)} received`;
  if (!changed) {
    const same = direction === "push" ? "the server has this already" : `${name} is what the server has`;
    return `Nothing to ${direction}: ${same}${at} (${wire})`;
  }
  const pages = `${pagesTransferred.toLocaleString("en-US")} of ${showCount(pageCount, "page")}, ${showBytes(pagesTransferred * pageSize)}`;
  return `${direction === "push" ? "Pushed" : "Pulled"} ${name}: ${pages}${at} (${wire})`;
}
