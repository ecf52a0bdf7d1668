import type { Primary } from "../support/primary.js";
import { type Change, changed, type Json, type Oracle } from "./oracle.js";

/** A client that writes to the primary itself. */
export class PrimaryClient {
  readonly name = "p";
  readonly #url: string;
  readonly #oracle: Oracle;

  constructor(primary: Primary, oracle: Oracle) {
    this.#url = primary.url;
    this.#oracle = oracle;
  }

  async read(): Promise<{ data: Json; hash: string }> {
    const body = (await (await fetch(`${this.#url}/pull/posts/doc`)).json()) as { data: Json; hash: string };
    this.#oracle.verifyOwn(this.name, body.data, "at the primary");
    return body;
  }

  async write(changes: readonly Change[]): Promise<void> {
    for (;;) {
      const { data, hash } = await this.read();
      const { status } = await fetch(`${this.#url}/push/posts/doc`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ data: changed(data, changes), baseHash: hash === "" ? null : hash }),
      });
      if (status === 409) continue;
      if (status !== 200) throw new Error(`The primary refused a write with ${status}`);
      return this.#oracle.stored(this.name, data, changes);
    }
  }
}
