import { changeHundredth, changeRow, pageSource } from "../support/page-source.mjs";
import { syncPages } from "../support/page-sync.mjs";
import { openPageWorkplace } from "../support/page-workplace.mjs";
import { syncPlainPages } from "../support/plain-page-sync.mjs";
import { sameContent } from "../support/same-file.mjs";

const CASES = [
  ["none", "nothing changed", () => {}],
  ["row", "one row changed", changeRow],
  ["hundredth", "1 % changed", changeHundredth],
];
const MEASURES = [
  ["pushBytes", "bytes, push", ""],
  ["pullBytes", "bytes, pull", ""],
  ["push", "push", "s"],
  ["pull", "pull", "s"],
];

export const scenario = {
  title: "Pages: changes to 1 GB, against single frames",
  how: "one file pushed, a second one that follows it pulled, both of 244,000 pages of 4096 bytes in WAL mode: unchanged, after one row was changed, after a row on each hundredth page was changed. The other is a client of the original protocol at the same server: one `page_hash` frame for each page, one `page_data` for each that differs, written with the same libraries; its pull writes pages into the file where they stand, with no regard for readers or a crash, while ours replaces the content in one transaction. Bytes are all that passed the server's socket in both directions",
  versus: { plain: "single frames" },
  ratioLabel: "against single frames",
  warmUp: false,
  roundTimeoutMs: 400_000,
  rounds: 3,
  measures: CASES.flatMap(([name, label]) => [
    ...MEASURES.map(([key, what, unit]) => ({
      key: `${name}-${key}`,
      label: `${label}: ${what}`,
      unit,
      better: "less",
    })),
    ...(name === "none"
      ? []
      : [{ key: `${name}-pages`, label: `${label}: pages, each way`, better: "less", comparison: true }]),
  ]),
  async run({ contender, file, quick }) {
    const source = pageSource(file, quick ? 0.1 : 1);
    const { server, places } = await openPageWorkplace(file, source, {
      ours: { follower: true },
      plain: { follower: true },
    });
    const sync = contender === "ours" ? syncPages : syncPlainPages;
    const place = places[contender];
    const result = {};
    try {
      for (const [name, , change] of CASES) {
        change(place.file);
        const push = await sync("push", { server, file: place.file, token: place.tokens.push });
        const pull = await sync("pull", { server, file: place.follower, token: place.tokens.pull });
        result[`${name}-push`] = push.ms / 1000;
        result[`${name}-pull`] = pull.ms / 1000;
        result[`${name}-pushBytes`] = push.bytes;
        result[`${name}-pullBytes`] = pull.bytes;
        if (push.pages !== pull.pages) throw new Error(`${push.pages} pages were pushed, and ${pull.pages} pulled`);
        result[`${name}-pages`] = push.pages;
      }
      sameContent(place.file, place.follower);
    } finally {
      await server.stop();
    }
    return result;
  },
};
