import { Agent, get } from "node:http";
import { epochMs } from "./epoch-ms.mjs";

/** Opens `count` streams of a primary's change feed, which do nothing but count what comes. */
export async function openSubscribers(url, count) {
  const agent = new Agent({ maxSockets: count });
  let announced = 0;
  let beats = 0;
  let lastAnnouncedAt = 0;
  const open = () =>
    new Promise((resolve, reject) => {
      const sent = get(`${url}/changes`, { agent }, (response) => {
        if (response.statusCode !== 200) return reject(new Error(`the feed answered ${response.statusCode}`));
        response.setEncoding("latin1");
        response.once("data", resolve);
        response.on("data", (piece) => {
          if (piece.includes("event: change")) {
            announced += 1;
            lastAnnouncedAt = epochMs();
          } else if (piece.startsWith(":")) beats += 1;
        });
        response.on("error", () => {});
      });
      sent.on("error", reject);
    });
  await Promise.all(Array.from({ length: count }, open));
  return {
    /** Announcements received, by all together. */
    announced: () => announced,
    /** Heartbeats received, by all together. */
    beats: () => beats,
    /** When the last announcement came. */
    lastAnnouncedAt: () => lastAnnouncedAt,
    close: () => agent.destroy(),
  };
}
