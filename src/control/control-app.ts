import { type Context, Hono } from "hono";
import { showValue } from "../config/show-value.js";
import { ConfigurationError } from "../errors.js";
import { createTokenCheck } from "./bearer-token.js";
import { errorAnswer } from "./error-answer.js";
import { RouteError, type RouteErrorCode } from "./route-error.js";

type Method = "GET" | "POST" | "PATCH" | "DELETE";
type Handlers = Partial<Record<Method, (context: Context) => Promise<Response>>>;

/** Answers tell about somebody's data, and an intermediary must not keep them. */
const HEADERS = { "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff" } as const;

/** Routes behind the control token. */
export interface ControlApp {
  readonly app: Hono;
  /** Answers on this path, `HEAD` as `GET`. What a handler throws becomes `{ error, code }`. */
  serve(path: string, handlers: Handlers): void;
}

/**
 * A Hono app whose every route asks for the bearer token.
 * @throws ConfigurationError for a token or path that cannot be used
 */
export function createControlApp({ token, basePath = "" }: { token: string; basePath?: string }): ControlApp {
  const checkToken = createTokenCheck(token);
  if (typeof basePath !== "string" || !/^(\/[A-Za-z0-9\-._~]+)*$/.test(basePath))
    throw new ConfigurationError([`basePath must be a path such as "/admin", got ${showValue(basePath)}`]);
  const app = new Hono();
  return {
    app,
    serve(path, handlers) {
      app.all(`${basePath}${path}`, async (context) => {
        try {
          checkToken(context.req.header("authorization"));
          const answer = await handlerOf(handlers, context.req.method)(context);
          for (const [name, value] of Object.entries(HEADERS)) {
            // A handler may say more than we do.
            if (!answer.headers.has(name)) answer.headers.set(name, value);
          }
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
    },
  };
}

function handlerOf(handlers: Handlers, method: string): (context: Context) => Promise<Response> {
  const name = method === "HEAD" ? "GET" : method;
  const handler = Object.hasOwn(handlers, name) ? handlers[name as Method] : undefined;
  if (handler) return handler;
  const allowed = Object.keys(handlers).join(", ");
  throw new RouteError(405, "METHOD_NOT_ALLOWED" satisfies RouteErrorCode, `Only ${allowed} can be used here`, {
    headers: { Allow: allowed },
  });
}
