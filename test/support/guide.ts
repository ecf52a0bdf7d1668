import { readFileSync } from "node:fs";

/** A document whose blocks of code are run by tests. */
export interface Guide {
  /** The one block of this language that has the text in it. Counts as run. */
  take(language: string, text: string): string;
  /** The first lines of the blocks that nobody took. */
  untaken(): string[];
}

export function readGuide(path: string): Guide {
  const blocks = [...readFileSync(path, "utf8").matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(
    ([, language = "", code = ""]) => ({ language, code }),
  );
  const taken = new Set<(typeof blocks)[number]>();
  return {
    take(language, text) {
      const [block, ...others] = blocks.filter((one) => one.language === language && one.code.includes(text));
      if (block === undefined || others.length > 0) {
        throw new Error(`${path} has ${block ? "several blocks" : "no block"} of ${language} with ${text}`);
      }
      taken.add(block);
      return block.code;
    },
    untaken: () => blocks.filter((block) => !taken.has(block)).map(({ code }) => code.split("\n", 1).join()),
  };
}
