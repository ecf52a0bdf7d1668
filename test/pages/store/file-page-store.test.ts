import { createFilePageStore } from "../../../src/pages/store/file-page-store.js";
import { atEnd } from "../../support/at-end.js";
import { tempDir } from "../../support/temp-dir.js";
import { registerPageStoreTests } from "./page-store-suite.js";

registerPageStoreTests(async () => {
  const store = createFilePageStore({ dir: tempDir() });
  await store.open();
  atEnd(() => store.close());
  return store;
});
