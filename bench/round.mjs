/** One round of one scenario for one contender, in a process of its own. Sends its parent `{ result }` or `{ failure }`. */
import { CONTENDERS } from "./support/contender.mjs";
import { createPrimaryControl } from "./support/primary-control.mjs";

const { scenario: name, contender, ports, postgres, file, quick } = JSON.parse(process.argv[2]);
const { scenario } = await import(`./scenarios/${name}.mjs`);
const specifier = CONTENDERS[contender];

async function run() {
  const primary = ports && createPrimaryControl(ports);
  await primary?.clear();
  const result = await scenario.run({
    contender,
    specifier,
    load: () => import(specifier),
    primary,
    postgres,
    file,
    quick,
  });
  return { result };
}

process.once("disconnect", () => process.exit());
const message = await run().catch((error) => ({ failure: error.stack ?? String(error) }));
process.send(message, () => process.exit());
