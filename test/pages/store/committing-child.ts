import { readFileSync } from "node:fs";
import { createPageHasher } from "../../../src/pages/hashes/page-hasher.js";
import { createFilePageStore } from "../../../src/pages/store/file-page-store.js";

// Pushes the files by turns, for ever, until it is killed; says when each commit has begun and ended.
const [dir = "", ...files] = process.argv.slice(2);
const versions = files.map((file) => readFileSync(file));
const hasher = await createPageHasher();
const store = createFilePageStore({ dir });
await store.open();
for (let turn = 0; ; turn += 1) {
  const bytes = versions[turn % versions.length] as Buffer;
  const pageCount = bytes.length / 4096;
  const staging = await store.stage("db1", { pageSize: 4096, pageCount, generation: null, maxBytes: 2 ** 30 });
  console.log(`push ${turn} from ${staging.stored.generation}`);
  for (let pageNo = 1; pageNo <= pageCount; pageNo += 1) {
    const page = bytes.subarray((pageNo - 1) * 4096, pageNo * 4096);
    if (!(await staging.has(pageNo, hasher.hash(page)))) await staging.put(pageNo, page);
  }
  console.log(`committing ${turn}`);
  const { generation } = await staging.commit();
  console.log(`committed ${generation} of ${turn % versions.length}`);
  await staging.close();
}
