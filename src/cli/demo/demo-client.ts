import type { DemoData } from "./collections.js";

interface PullAnswer {
  readonly status: number;
  readonly data: DemoData;
  /** `null` where there is no document. */
  readonly hash: string | null;
}

interface PushAnswer {
  readonly status: number;
  /** `null` where nothing was stored. */
  readonly hash: string | null;
}

/** A client of a sync server, over HTTP. */
export interface DemoClient {
  pull(collection: string): Promise<PullAnswer>;
  /** @param baseHash what it replaces; `null` for a new document */
  push(collection: string, data: DemoData, baseHash: string | null): Promise<PushAnswer>;
  /** Changes a document, again when somebody else was faster, and gives its new hash. */
  update(collection: string, change: (data: DemoData) => DemoData): Promise<string>;
}

const UPDATE_ATTEMPTS = 5;

/** A client of the server at `url`. `fetchFn` signs, where that is needed. */
export function createDemoClient(url: string, fetchFn: typeof fetch): DemoClient {
  const pull: DemoClient["pull"] = async (collection) => {
    const answer = await fetchFn(`${url}/pull/${collection}`);
    const { data = {}, hash } = (await answer.json()) as { data?: DemoData; hash?: string };
    return { status: answer.status, data, hash: hash || null };
  };
  const push: DemoClient["push"] = async (collection, data, baseHash) => {
    const answer = await fetchFn(`${url}/push/${collection}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ data, baseHash }),
    });
    const { hash = null } = (await answer.json()) as { hash?: string };
    return { status: answer.status, hash };
  };
  const update: DemoClient["update"] = async (collection, change) => {
    for (let attempt = 1; ; attempt++) {
      const { data, hash: base } = await pull(collection);
      const { status, hash } = await push(collection, change(data), base);
      if (hash !== null) return hash;
      if (status !== 409 || attempt === UPDATE_ATTEMPTS)
        throw new Error(`writing ${collection} was answered ${status}`);
    }
  };
  return { pull, push, update };
}
