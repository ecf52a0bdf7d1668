import { createThousandCollections } from "../support/thousand-collections.mjs";

export const scenario = createThousandCollections("1 KB", 1000);
