import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { generateRandomCodeVerifier } from "oauth4webapi";
import { showValue } from "../../config/show-value.js";
import { ReplicaError } from "../../errors.js";
import type { DatabaseRecord } from "../accounts/accounts.js";
import type { AdminOptions } from "./admin-options.js";
import { AdminSessions } from "./admin-sessions.js";
import { CALLER_ADDRESS } from "./caller-address.js";
import { type AdminService, Direction } from "./gen/edgereplica/admin/v1/admin_pb.js";
import type { OAuthProvider } from "./oauth-provider.js";

/** What each call of the admin service does (WIRE.md, section 2). Throws `ReplicaError`s. */
export function createAdminService(options: AdminOptions): ServiceImpl<typeof AdminService> {
  const { limiter, tokens, providers } = options;
  const sessions = new AdminSessions(options);
  const accounts = () => options.parts().accounts;
  return {
    async whoami(_request, { requestHeader }) {
      return { whoami: await sessions.account(requestHeader) };
    },

    async signup({ email, password }, context) {
      if (!options.allowSignup) throw signupClosed();
      await limiter.admit(addressOf(context));
      return sessions.begin(await accounts().signup(email, password));
    },

    async login({ email, password }, context) {
      const attempt = await limiter.beginLogin(addressOf(context), email);
      try {
        const account = await accounts().login(email, password);
        attempt.succeed();
        return sessions.begin(account);
      } catch (error) {
        if (!(error instanceof ReplicaError && error.code === "UNAUTHENTICATED")) attempt.undo();
        throw error;
      }
    },

    async startOAuth({ provider: name }, context) {
      const provider = providerOf(providers, name);
      await limiter.admit(addressOf(context));
      const codeVerifier = generateRandomCodeVerifier();
      const state = await accounts().startOAuth(
        { provider: provider.name, codeVerifier },
        options.oauthStateTtlSeconds,
      );
      return { redirectUrl: await provider.authorizationUrl(state, codeVerifier), state };
    },

    async completeOAuth({ state, code }, context) {
      if (providers.length === 0) throw notConfigured(null);
      requireText("state", state);
      requireText("code", code);
      await limiter.admit(addressOf(context));
      const { provider: name, codeVerifier } = await accounts().takeOAuth(state);
      const identity = await providerOf(providers, name).identify(state, code, codeVerifier);
      return sessions.begin(await accounts().loginWith(identity, options.allowSignup));
    },

    async createDatabase({ name }, { requestHeader }) {
      const { orgId } = await sessions.account(requestHeader);
      return databaseMessage(await accounts().createDatabase(orgId, name));
    },

    async listDatabases(_request, { requestHeader }) {
      const { orgId } = await sessions.account(requestHeader);
      const databases = await accounts().listDatabases(orgId);
      return { databases: databases.map(databaseMessage) };
    },

    async deleteDatabase({ databaseId }, { requestHeader }) {
      const { orgId } = await sessions.account(requestHeader);
      await options.parts().removeDatabase(orgId, databaseId);
      return {};
    },

    async issueSyncToken({ databaseId, direction, ttlSeconds }, { requestHeader }) {
      const { orgId, userId } = await sessions.account(requestHeader);
      const way = directionName(direction);
      const ttl = tokenLife(ttlSeconds, options);
      const { id } = await accounts().database(orgId, databaseId);
      const expiresAt = sessions.expiry(ttl);
      const token = tokens.mint({ purpose: "sync", userId, orgId, databaseId: id, direction: way }, expiresAt);
      return { token, expUnix: BigInt(expiresAt) };
    },
  };
}

function addressOf({ values }: HandlerContext): string {
  return values.get(CALLER_ADDRESS);
}

function databaseMessage({ id, orgId, name, createdAt }: DatabaseRecord): DatabaseInit {
  return { id, orgId, name, createdAtUnix: BigInt(createdAt) };
}

interface DatabaseInit {
  readonly id: string;
  readonly orgId: string;
  readonly name: string;
  readonly createdAtUnix: bigint;
}

function directionName(direction: Direction): "push" | "pull" {
  if (direction === Direction.PUSH) return "push";
  if (direction === Direction.PULL) return "pull";
  throw new ReplicaError("INVALID_ACCOUNT", "direction must be DIRECTION_PUSH or DIRECTION_PULL");
}

function tokenLife(asked: bigint, { syncTokenTtlSeconds, maxSyncTokenTtlSeconds }: AdminOptions): number {
  if (asked === 0n) return syncTokenTtlSeconds;
  if (asked > 0n && asked <= BigInt(maxSyncTokenTtlSeconds)) return Number(asked);
  throw new ReplicaError(
    "INVALID_ACCOUNT",
    `ttl_seconds must be from 1 to ${maxSyncTokenTtlSeconds}, or 0 for ${syncTokenTtlSeconds}, got ${asked}`,
  );
}

function requireText(field: string, value: string): void {
  if (value === "")
    throw new ReplicaError("INVALID_ACCOUNT", `${field} must be given: the page that the browser ended on shows it`);
}

function providerOf(providers: readonly OAuthProvider[], name: string): OAuthProvider {
  const found = providers.find((provider) => provider.name === name);
  if (found !== undefined) return found;
  if (name === "") throw new ReplicaError("INVALID_ACCOUNT", 'provider must be given, for instance "github"');
  throw notConfigured(name, providers);
}

function notConfigured(name: string | null, providers: readonly OAuthProvider[] = []): ReplicaError {
  const known = providers.map((provider) => provider.name).join(", ");
  return new ReplicaError(
    "NOT_CONFIGURED",
    `This server has no login ${name === null ? "by OAuth" : `with the provider ${showValue(name)}`}`,
    { hint: known === "" ? "Log in with email and password" : `It has: ${known}` },
  );
}

function signupClosed(): ReplicaError {
  return new ReplicaError("SIGNUP_CLOSED", "This server takes no new accounts", {
    hint: "Ask whoever runs it for one",
  });
}
