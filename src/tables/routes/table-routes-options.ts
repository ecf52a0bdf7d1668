import type { Hono } from "hono";

export interface TableRoutesOptions {
  /** What callers send as `Authorization: Bearer <token>`. Whoever has it may read and change everything here. */
  readonly token: string;
  /** Stands before every path, for instance `/admin`. Default: nothing. */
  readonly basePath?: string;
  /** About how many bytes of values one answer of `POST /query` may have: it is one piece of JSON. Default 16 MiB, at most 64 MiB. */
  readonly maxQueryBytes?: number;
  /** Gives the `collections` of `GET /replication/status`. Default: an empty list. */
  readonly collections?: () => readonly unknown[];
}

/** A Hono app to mount: `app.route("/", routes)`. It answers on its own paths alone. */
export type TableRoutes = Hono;
