import type { Context } from "hono";
import { showValue } from "../../config/show-value.js";
import { createControlApp } from "../../control/control-app.js";
import { errorText } from "../../control/error-answer.js";
import { forCaller } from "../../control/for-caller.js";
import { readFields, refuseUnknownFields } from "../../control/json-body.js";
import { invalidRequest, RouteError } from "../../control/route-error.js";
import { ConfigurationError, ReplicaError } from "../../errors.js";
import type { TaskChange } from "../copy/table-engine.js";
import type { TableControl } from "../table-control.js";
import type { TableTaskDefinition } from "../tasks/table-task.js";
import { parseParams, rowsToJson } from "./query-json.js";
import { runTask } from "./run-task.js";
import type { TableRoutes, TableRoutesOptions } from "./table-routes-options.js";

const DEFAULT_QUERY_BYTES = 16 * 1024 * 1024;
/** As JSON a character may take six, and a string has at most 2^29 - 24 in V8. */
const MAX_QUERY_BYTES = 64 * 1024 * 1024;

/** The routes of the control API that concern tables, over anything that controls tables. @throws ConfigurationError */
export function createTableRoutes(control: TableControl, options: TableRoutesOptions): TableRoutes {
  const { token, basePath = "", maxQueryBytes = DEFAULT_QUERY_BYTES, collections = () => [] } = options ?? {};
  const { app, serve } = createControlApp({ token, basePath });
  if (!Number.isInteger(maxQueryBytes) || maxQueryBytes < 1 || maxQueryBytes > MAX_QUERY_BYTES) {
    const range = `a whole number of bytes from 1 to ${MAX_QUERY_BYTES}`;
    throw new ConfigurationError([`maxQueryBytes must be ${range}, got ${showValue(maxQueryBytes)}`]);
  }

  serve("/replication/tasks", {
    GET: async (context) => context.json({ tasks: await control.tasks() }),
    POST: async (context) => {
      const definition = (await readFields(context.req.raw)) as unknown as TableTaskDefinition;
      return context.json(await addTask(control, definition), 201);
    },
  });
  serve("/replication/tasks/:id", {
    GET: async (context) => context.json(await control.task(idOf(context))),
    PATCH: async (context) => {
      const change: TaskChange = await readFields(context.req.raw);
      return context.json(await control.updateTask(idOf(context), change));
    },
    DELETE: async (context) => {
      await control.removeTask(idOf(context));
      return context.body(null, 204);
    },
  });
  serve("/replication/tasks/:id/run", {
    POST: async (context) => {
      refuseUnknownFields(context.req.query(), ["wait"]);
      refuseUnknownFields(await readFields(context.req.raw, true), []);
      const { status, body } = await runTask(control, idOf(context), context.req.query("wait"));
      return context.json(body as object, status);
    },
  });
  serve("/replication/tasks/:id/verify", {
    POST: async (context) => {
      const fields = await readFields(context.req.raw, true);
      refuseUnknownFields(fields, ["repair"]);
      const { repair = false } = fields;
      if (typeof repair !== "boolean") throw invalidRequest(`repair must be true or false, got ${showValue(repair)}`);
      const { signal } = context.req.raw;
      return context.json(await forCaller(signal, control.verify(idOf(context), { repair, signal })));
    },
  });
  serve("/replication/status", {
    GET: async (context) => context.json({ collections: collections(), tasks: await control.status() }),
  });
  serve("/query", {
    POST: async (context) => {
      const fields = await readFields(context.req.raw);
      refuseUnknownFields(fields, ["sql", "params"]);
      const { sql, params } = fields;
      if (typeof sql !== "string" || sql.trim() === "")
        throw invalidRequest(`sql must be a SELECT statement, got ${showValue(sql)}`);
      const { signal } = context.req.raw;
      const result = await forCaller(signal, control.query(sql, parseParams(params), { signal }));
      return context.json(rowsToJson(result, maxQueryBytes));
    },
  });
  return app;
}

/** The source says that the table of the request cannot be copied: that is the request's mistake, not the source's. */
async function addTask(control: TableControl, definition: TableTaskDefinition): Promise<object> {
  try {
    return await control.addTask(definition);
  } catch (error) {
    const isTheirs = error instanceof ReplicaError && ["TABLE_MISSING", "UNMAPPABLE_TYPE"].includes(error.code);
    if (!isTheirs) throw error;
    const field = error.code === "TABLE_MISSING" ? "sourceTable" : "columns";
    throw new RouteError(400, error.code, `${field}: ${errorText(error)}`);
  }
}

function idOf(context: Context): string {
  return context.req.param("id") ?? "";
}
