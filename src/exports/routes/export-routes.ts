import type { Context } from "hono";
import { createControlApp } from "../../control/control-app.js";
import { errorText } from "../../control/error-answer.js";
import { readFields, refuseUnknownFields } from "../../control/json-body.js";
import { RouteError } from "../../control/route-error.js";
import { ReplicaError } from "../../errors.js";
import type { ExportControl } from "../export-control.js";
import type { ExportRequest } from "../export-job.js";
import { answerDownload } from "./download-answer.js";
import type { ExportRoutes, ExportRoutesOptions } from "./export-routes-options.js";
import { answerStream } from "./stream-answer.js";

/**
 * The routes of the control API that concern exports, over anything that controls exports.
 * @param database after whose name files are called
 * @throws ConfigurationError
 */
export function createExportRoutes(
  control: ExportControl,
  database: string,
  options: ExportRoutesOptions,
): ExportRoutes {
  const { token, basePath = "" } = options ?? {};
  const { app, serve } = createControlApp({ token, basePath });

  serve("/export/dump", {
    GET: async (context) => {
      const query = context.req.queries();
      refuseUnknownFields(query, ["format", "table"]);
      const selection = { format: single(query, "format"), tables: query.table };
      return await tableOf("table", 400, answerStream(control, database, context, selection));
    },
    POST: async (context) => {
      const request: ExportRequest = await readFields(context.req.raw, true);
      const job = await tableOf("tables", 400, control.startJob(request));
      return context.json(job, 202, { Location: `${new URL(context.req.url).pathname}/${encodeURIComponent(job.id)}` });
    },
  });
  serve("/export/jobs", {
    GET: async (context) => context.json({ jobs: await control.jobs() }),
  });
  serve("/export/dump/:jobId", {
    GET: async (context) => context.json(await control.job(idOf(context))),
    DELETE: async (context) => {
      await control.removeJob(idOf(context));
      return context.body(null, 204);
    },
  });
  serve("/export/dump/:jobId/download", {
    GET: async (context) => await answerDownload(control, database, context.req.raw, idOf(context)),
  });
  for (const format of ["json", "csv"] as const) {
    serve(`/export/${format}/:table`, {
      GET: async (context) => {
        refuseUnknownFields(context.req.query(), []);
        const selection = { format, table: context.req.param("table") ?? "" };
        return await tableOf("table", 404, answerStream(control, database, context, selection));
      },
    });
  }
  return app;
}

/** That there is no such table is the request's mistake, not the server's. */
async function tableOf<T>(field: string, status: 400 | 404, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof ReplicaError) || error.code !== "TABLE_MISSING") throw error;
    throw new RouteError(status, error.code, `${field}: ${errorText(error)}`);
  }
}

/** A parameter that may be given once. What is given twice is none of its values. */
function single(query: Readonly<Record<string, readonly string[]>>, name: string): never {
  const [value, ...others] = query[name] ?? [];
  return (others.length === 0 ? value : query[name]) as never;
}

function idOf(context: Context): string {
  return context.req.param("jobId") ?? "";
}
