import type { IncomingMessage, ServerResponse } from "node:http";
import { type HttpHost, startHttpHost } from "./http-host.js";
import type { LoggedRequest } from "./request-log.js";

/** Answers one request as badly as it likes. The body has been read already. */
export type Behaviour = (request: IncomingMessage, response: ServerResponse) => unknown;

/** A request with its body, as text. */
type HostileRequest = LoggedRequest & { readonly body: string };

/** An HTTP server that does what the test says. For what it can say see `hostile`, `badDocuments` and `gzipBomb`. */
export interface HostileServer extends HttpHost {
  /** `<origin>/v1`, to stand where a primary would. */
  readonly url: string;
  readonly received: HostileRequest[];
  /** The next requests, whatever their path, get these, one each, before anything set with `on` counts. */
  next(...behaviours: Behaviour[]): void;
  /** Requests whose path (without query) is equal or matches get this; the last rule that fits wins. `*` is any path. */
  on(path: string | RegExp, behaviour: Behaviour): void;
}

/** Starts a {@link HostileServer} on a free port of 127.0.0.1. What nothing was scripted for gets 501. */
export async function startHostileServer(): Promise<HostileServer> {
  const received: HostileRequest[] = [];
  const script: Behaviour[] = [];
  const rules: { path: string | RegExp; behaviour: Behaviour }[] = [];

  const choose = (path: string): Behaviour | undefined =>
    script.shift() ??
    rules.findLast((rule) =>
      typeof rule.path === "string" ? rule.path === "*" || rule.path === path : rule.path.test(path),
    )?.behaviour;

  const host = await startHttpHost(async (request, response, entry) => {
    let body = "";
    request.setEncoding("utf8");
    try {
      for await (const piece of request) body += piece;
    } catch {
      // The client went away in the middle of its body.
      return;
    }
    received.push(Object.defineProperty(entry, "body", { value: body, enumerable: true }) as HostileRequest);
    const behaviour = choose(entry.path);
    if (behaviour !== undefined) {
      await behaviour(request, response);
      return;
    }
    response.writeHead(501, { "content-type": "text/plain" });
    response.end(`Nothing is scripted for ${entry.method} ${entry.path}`);
  });
  return {
    ...host,
    url: `${host.origin}/v1`,
    received,
    next(...behaviours) {
      script.push(...behaviours);
    },
    on(path, behaviour) {
      rules.push({ path, behaviour });
    },
  };
}
