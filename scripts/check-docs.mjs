// Every relative link in the documents leads somewhere, and every test that they name exists.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

const documents = [".", "docs", "docs/decisions"]
  .flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)))
  .filter((name) => name.endsWith(".md"));
const tests = readdirSync("test", { recursive: true })
  .filter((name) => name.endsWith(".ts"))
  .map((name) => readFileSync(join("test", name), "utf8"))
  .join("\n");

const mistakes = [];
for (const document of documents) {
  const text = readFileSync(document, "utf8");
  for (const [, target] of text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)) {
    if (!existsSync(join(dirname(document), target))) mistakes.push(`${document}: no such file: ${target}`);
  }
  // A promise names its test in typographic quotes: “keeps the author's proof”.
  for (const [, name] of text.matchAll(/“([^”]+)”/g)) {
    if (!tests.includes(name)) mistakes.push(`${document}: no test is called “${name}”`);
  }
}
for (const mistake of mistakes) console.error(mistake);
if (mistakes.length > 0) process.exit(1);
console.log(`${documents.length} documents checked`);
