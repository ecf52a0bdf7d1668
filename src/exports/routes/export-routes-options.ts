import type { Hono } from "hono";

export interface ExportRoutesOptions {
  /** What callers send as `Authorization: Bearer <token>`. Whoever has it may read the whole database. */
  readonly token: string;
  /** Stands before every path, for instance `/admin`. Default: nothing. */
  readonly basePath?: string;
}

/** A Hono app to mount: `app.route("/", routes)`. It answers on its own paths alone. */
export type ExportRoutes = Hono;
