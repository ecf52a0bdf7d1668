import { HEADER } from "../protocol/wire.js";
import type { Transport } from "./transport.js";

/** Signs requests; `createReplicaAuth` gives one. */
export interface RequestSigner {
  /** The Ed25519 public key that signs, in lowercase hex: who the primary thinks we are. */
  readonly publicKey?: string;
  /** The headers that authenticate this one request. A second request needs its own. */
  sign(request: { method: string; url: string; body?: string }): Promise<Record<string, string>>;
  /**
   * Takes the `Date` of a 401 and the time that the refused request was signed with; `true` when the clock was off and is corrected, so
   * that the request is worth signing again.
   */
  correctClock(date: string | null, signedAtMs?: number): boolean;
}

/** Signs every request just before it goes out, each hop and each retry afresh. */
export function createSignedTransport(transport: Transport, signer: RequestSigner): Transport {
  return {
    async send(request) {
      const signed = async (): Promise<typeof request> => {
        const { method, url, body } = request;
        const headers = await signer.sign(body === undefined ? { method, url } : { method, url, body });
        return { ...request, headers: { ...request.headers, ...headers } };
      };
      const first = await signed();
      const answer = await transport.send(first);
      const signedAtMs = Number(first.headers[HEADER.timestamp]);
      if (answer.status !== 401 || !signer.correctClock(answer.header("date"), signedAtMs)) return answer;
      return await transport.send(await signed());
    },
    close: () => transport.close(),
  };
}
