import { createThousandCollections } from "../support/thousand-collections.mjs";

export const scenario = createThousandCollections("10 KB", 10_000);
