import { type AuthResult, hasAuthorizeHook, type RoleResolver } from "@drakkar.software/starfish-server";
import type { Context } from "hono";
import type { ChangeLocator } from "./change-locator.js";
import { ReadAccess, type ReadAccessOptions } from "./read-access.js";

export interface ReaderAuthOptions extends ReadAccessOptions {
  /** The host's own. Called once per connection: it may consume the request's nonce. */
  readonly roleResolver: RoleResolver;
  /** How long it may take before the answer is 503. Default 5 000, as the host's. */
  readonly roleResolverTimeoutMs?: number;
}

/**
 * Lets a caller in or answers it as the host would: 401, 403, 413 or, when the resolver takes too long, 503. A caller without credentials
 * whom the resolver refuses is anonymous where there are collections that the host shows to anybody without asking. A caller who can
 * never get an event gets 403.
 */
export async function authenticateReader(
  context: Context,
  locator: ChangeLocator,
  options: ReaderAuthOptions,
): Promise<ReadAccess | Response> {
  const auth = await resolve(context, options);
  if (!(auth instanceof Response)) {
    const access = new ReadAccess(auth, options);
    return access.mayReadAny(locator.collections) ? access : context.json({ error: "Forbidden" }, 403);
  }
  if (auth.status !== 401 || context.req.header("authorization") !== undefined) return auth;
  if (hasAuthorizeHook([...(options.plugins ?? [])])) return auth;
  const anonymous = new ReadAccess(null, options);
  return anonymous.mayReadAny(locator.collections) ? anonymous : auth;
}

async function resolve(context: Context, options: ReaderAuthOptions): Promise<AuthResult | Response> {
  const { roleResolver, roleResolverTimeoutMs = 5_000 } = options;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<"late">((done) => {
    timer = setTimeout(() => done("late"), roleResolverTimeoutMs);
  });
  try {
    const auth = await Promise.race([roleResolver(context), late]);
    return auth === "late" ? context.json({ error: "Unauthorized" }, 503) : auth;
  } catch (error) {
    const status = (error as { status?: unknown } | null)?.status;
    if (status === 403) return context.json({ error: "Forbidden" }, 403);
    if (status === 413) return context.json({ error: "Payload too large" }, 413);
    return context.json({ error: "Unauthorized" }, 401);
  } finally {
    clearTimeout(timer);
  }
}
