import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, request as send } from "node:http";
import type { AddressInfo } from "node:net";
import { atEnd } from "../../support/at-end.js";

/** A request that came by, as a whole. */
export interface SeenRequest {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** What becomes of it. `lose` hands it on and cuts the connection in place of the answer. */
export type Meddling =
  | "pass"
  | "lose"
  | { readonly status: number; readonly body?: string; readonly headers?: Readonly<Record<string, string>> }
  | { readonly sendInstead: Buffer };

/** An HTTP proxy in front of a server on loopback that reads every request and may meddle with it. Stopped when the test ends. */
export async function startMeddlingProxy(targetPort: number): Promise<{
  readonly port: number;
  readonly seen: SeenRequest[];
  meddle: (rule: (request: SeenRequest) => Meddling) => void;
}> {
  const seen: SeenRequest[] = [];
  let rule: (request: SeenRequest) => Meddling = () => "pass";
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const whole = {
      method: request.method ?? "",
      url: request.url ?? "",
      headers: request.headers,
      body: Buffer.concat(chunks),
    };
    seen.push(whole);
    const meddling = rule(whole);
    if (typeof meddling === "object" && "status" in meddling) {
      response.writeHead(meddling.status, { "content-type": "application/xml", ...meddling.headers });
      response.end(meddling.body ?? "");
      return;
    }
    // The host is signed: it stays the proxy's.
    const onward = send({
      port: targetPort,
      host: "127.0.0.1",
      method: whole.method,
      path: whole.url,
      headers: whole.headers,
    });
    onward.on("error", () => response.destroy());
    onward.on("response", (answer) => {
      if (meddling === "lose") {
        answer.resume().once("end", () => response.destroy());
        return;
      }
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    onward.end(typeof meddling === "object" ? meddling.sendInstead : whole.body);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  atEnd(async () => {
    if (!server.listening) return;
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    await closed;
  });
  return {
    port: (server.address() as AddressInfo).port,
    seen,
    meddle(next) {
      rule = next;
    },
  };
}
