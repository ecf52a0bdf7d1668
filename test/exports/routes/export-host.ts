import { request } from "node:http";
import { getRequestListener } from "@hono/node-server";
import { Hono } from "hono";
import type { Exports } from "../../../src/exports/index.js";
import { type HttpHost, startHttpHost } from "../../support/http-host.js";

export const TOKEN = "correct-horse-battery";

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Buffer;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into it as they like.
  readonly json: any;
}

/** The routes of exports on a real server. */
export interface ExportHost {
  readonly host: HttpHost;
  /** Sends the path to the byte as it is, with the token. `body` that is no text is sent as JSON. */
  call(method: string, path: string, headers?: Record<string, string>, body?: unknown): Promise<Answer>;
}

export async function startExportHost(exports: Exports, mountedAt = "/", basePath = ""): Promise<ExportHost> {
  const app = new Hono().route(mountedAt, exports.routes({ token: TOKEN, basePath }));
  const host = await startHttpHost(getRequestListener(app.fetch));
  return {
    host,
    call: (method, path, headers = {}, body = undefined) =>
      new Promise((resolve, reject) => {
        // Not by fetch, which mends paths and asks for gzip.
        const asked = request(
          {
            host: "127.0.0.1",
            port: host.port,
            method,
            path,
            headers: { authorization: `Bearer ${TOKEN}`, ...headers },
          },
          (response) => {
            const pieces: Buffer[] = [];
            response.on("data", (piece: Buffer) => pieces.push(piece));
            response.on("error", reject);
            response.on("end", () => {
              const bytes = Buffer.concat(pieces);
              const answered = new Headers(response.headers as Record<string, string>);
              const isJson = /^application\/json/.test(answered.get("content-type") ?? "") && bytes.length > 0;
              const json = isJson && !answered.has("content-disposition") ? JSON.parse(bytes.toString()) : null;
              resolve({ status: response.statusCode ?? 0, headers: answered, bytes, json });
            });
          },
        );
        asked.on("error", reject);
        asked.end(body === undefined || typeof body === "string" ? body : JSON.stringify(body));
      }),
  };
}
