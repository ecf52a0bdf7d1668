import { type CapCert, type SignableMethod, verifyRequestSignature } from "@drakkar.software/starfish-protocol";

/** What a signing fetch handed to its `fetchFn`. */
export interface SentRequest {
  readonly url: string;
  readonly init: RequestInit;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

/** A `fetchFn` that answers each request with what `answer` makes of it and its number, from 0; a 200 by default. */
export function recordingFetch(answer: (request: SentRequest, index: number) => Response = () => new Response("{}")): {
  readonly sent: SentRequest[];
  readonly fetchFn: typeof fetch;
} {
  const sent: SentRequest[] = [];
  const fetchFn: typeof fetch = async (input, init = {}) => {
    init.signal?.throwIfAborted();
    const body = (init.body ?? new Uint8Array()) as Uint8Array;
    const request: SentRequest = { url: String(input), init, headers: new Headers(init.headers), body };
    sent.push(request);
    return answer(request, sent.length - 1);
  };
  return { sent, fetchFn };
}

/** The cap-cert that these headers present. */
export function capOf(headers: Headers | Record<string, string>): CapCert {
  const [scheme, value = ""] = new Headers(headers).get("authorization")?.split(" ") ?? [];
  if (scheme !== "Cap") throw new Error("there is no cap-cert in the Authorization header");
  return JSON.parse(Buffer.from(value, "base64").toString());
}

/** Whether starfish-protocol takes the signature in these headers, for the key of the cap-cert beside it. */
export async function isSignedFor(
  headers: Headers | Record<string, string>,
  method: string,
  address: string | URL,
  body?: string | Uint8Array,
): Promise<boolean> {
  const all = new Headers(headers);
  const url = new URL(address);
  const signature = {
    sig: all.get("x-starfish-sig") ?? "",
    ts: Number(all.get("x-starfish-ts")),
    nonce: all.get("x-starfish-nonce") ?? "",
  };
  const request = { method: method as SignableMethod, pathAndQuery: url.pathname + url.search, host: url.host };
  return verifyRequestSignature(
    body === undefined ? request : { ...request, body },
    signature,
    capOf(headers).sub ?? "",
  );
}
