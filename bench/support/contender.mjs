/** The two that are compared, by the specifier that a round imports. Both find the same starfish-server beside this folder. */
export const CONTENDERS = {
  ours: new URL("../dist/index.js", import.meta.url).href,
  theirs: "@drakkar.software/starfish-replica",
};

/** Our tables. */
export const TABLES = new URL("../dist/tables/index.js", import.meta.url).href;

/** Our exports. */
export const EXPORTS = new URL("../dist/exports/index.js", import.meta.url).href;

/** Our change feeds; the peer has none. */
export const FEEDS = new URL("../dist/feeds/index.js", import.meta.url).href;

/** Our page sync. */
export const PAGES = new URL("../dist/pages/index.js", import.meta.url).href;
