import { type Context, Hono } from "hono";
import { ConfigurationError, ReplicaError } from "../../errors.js";
import type { TaskChange } from "../copy/table-engine.js";
import type { TableControl } from "../table-control.js";
import type { TableTaskDefinition } from "../tasks/table-task.js";
import { showValue } from "../value-mistakes.js";
import { createTokenCheck } from "./bearer-token.js";
import { errorAnswer, errorText } from "./error-answer.js";
import { readFields, refuseUnknownFields } from "./json-body.js";
import { parseParams, rowsToJson } from "./query-json.js";
import { invalidRequest, RouteError, type RouteErrorCode } from "./route-error.js";
import { runTask } from "./run-task.js";
import type { TableRoutes, TableRoutesOptions } from "./table-routes-options.js";

type Method = "GET" | "POST" | "PATCH" | "DELETE";
type Handler = (context: Context) => Promise<Response>;

/** Answers tell about somebody's data, and an intermediary must not keep them. */
const HEADERS = { "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff" } as const;

const DEFAULT_QUERY_BYTES = 16 * 1024 * 1024;
/** As JSON a character may take six, and a string has at most 2^29 - 24 in V8. */
const MAX_QUERY_BYTES = 64 * 1024 * 1024;

/** The routes of the control API that concern tables, over anything that controls tables. @throws ConfigurationError */
export function createTableRoutes(control: TableControl, options: TableRoutesOptions): TableRoutes {
  const { token, basePath = "", maxQueryBytes = DEFAULT_QUERY_BYTES, collections = () => [] } = options ?? {};
  const checkToken = createTokenCheck(token);
  if (typeof basePath !== "string" || !/^(\/[A-Za-z0-9\-._~]+)*$/.test(basePath))
    throw new ConfigurationError([`basePath must be a path such as "/admin", got ${showValue(basePath)}`]);
  if (!Number.isInteger(maxQueryBytes) || maxQueryBytes < 1 || maxQueryBytes > MAX_QUERY_BYTES) {
    const range = `a whole number of bytes from 1 to ${MAX_QUERY_BYTES}`;
    throw new ConfigurationError([`maxQueryBytes must be ${range}, got ${showValue(maxQueryBytes)}`]);
  }

  const serve = (path: string, handlers: Partial<Record<Method, Handler>>): void => {
    app.all(`${basePath}${path}`, async (context) => {
      try {
        checkToken(context.req.header("authorization"));
        const answer = await handlerOf(handlers, context.req.method)(context);
        for (const [name, value] of Object.entries(HEADERS)) answer.headers.set(name, value);
        return answer;
      } catch (error) {
        const { status, code, message, headers, more } = errorAnswer(error);
        const body = JSON.stringify({ error: message, code, ...more });
        return new Response(body, {
          status,
          headers: { "Content-Type": "application/json", ...HEADERS, ...headers },
        });
      }
    });
  };

  const app = new Hono();
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

/** Work that ends when its caller leaves: what nobody waits for any more would hold up the next one. */
async function forCaller<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw signal.aborted ? new RouteError(499, "CLIENT_GONE" satisfies RouteErrorCode, "The caller has left") : error;
  }
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

function handlerOf(handlers: Partial<Record<Method, Handler>>, method: string): Handler {
  const handler = handlers[(method === "HEAD" ? "GET" : method) as Method];
  if (handler && Object.hasOwn(handlers, method === "HEAD" ? "GET" : method)) return handler;
  const allowed = Object.keys(handlers).join(", ");
  throw new RouteError(405, "METHOD_NOT_ALLOWED" satisfies RouteErrorCode, `Only ${allowed} can be used here`, {
    headers: { Allow: allowed },
  });
}

function idOf(context: Context): string {
  return context.req.param("id") ?? "";
}
