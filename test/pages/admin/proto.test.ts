import type { DescField, DescMessage } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { describe, expect, it } from "vitest";
import { AdminService, DirectionSchema } from "../../../src/pages/admin/gen/edgereplica/admin/v1/admin_pb.js";

// Written from WIRE.md, section 2: other people's clients have these names and numbers.
const WHOAMI_INFO = "{string user_id=1; string email=2; string org_id=3; string role=4}";
const AUTH_RESPONSE = "{string session_token=1; WhoamiInfo whoami=2}";
const DATABASE = "{string id=1; string org_id=2; string name=3; int64 created_at_unix=4}";
const CREDENTIALS = "{string email=1; string password=2}";
const PINNED = {
  "Whoami (no side effects)": ["WhoamiRequest {}", "WhoamiResponse {WhoamiInfo whoami=1}"],
  Signup: [`SignupRequest ${CREDENTIALS}`, `AuthResponse ${AUTH_RESPONSE}`],
  Login: [`LoginRequest ${CREDENTIALS}`, `AuthResponse ${AUTH_RESPONSE}`],
  StartOAuth: ["StartOAuthRequest {string provider=1}", "StartOAuthResponse {string redirect_url=1; string state=2}"],
  CompleteOAuth: ["CompleteOAuthRequest {string state=1; string code=2}", `AuthResponse ${AUTH_RESPONSE}`],
  CreateDatabase: ["CreateDatabaseRequest {string name=1}", `Database ${DATABASE}`],
  "ListDatabases (no side effects)": [
    "ListDatabasesRequest {}",
    "ListDatabasesResponse {repeated Database databases=1}",
  ],
  DeleteDatabase: ["DeleteDatabaseRequest {string database_id=1}", "DeleteDatabaseResponse {}"],
  IssueSyncToken: [
    "IssueSyncTokenRequest {string database_id=1; Direction direction=2; int64 ttl_seconds=3}",
    "IssueSyncTokenResponse {string token=1; int64 exp_unix=2}",
  ],
};

const SCALARS: Readonly<Record<number, string>> = { 3: "int64", 9: "string" };

function typeOf(field: DescField): string {
  if (field.fieldKind === "message") return field.message.name;
  if (field.fieldKind === "enum") return field.enum.name;
  if (field.fieldKind === "scalar") return SCALARS[field.scalar] ?? "?";
  if (field.fieldKind === "list" && field.message !== undefined) return `repeated ${field.message.name}`;
  return "?";
}

function textOf(message: DescMessage): string {
  return `{${message.fields.map((field) => `${typeOf(field)} ${field.name}=${field.number}`).join("; ")}}`;
}

describe("the generated code", () => {
  it("has the names and numbers that are pinned", () => {
    expect(AdminService.typeName).toBe("edgereplica.admin.v1.AdminService");
    const described = AdminService.methods.map((method) => [
      `${method.name}${method.idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS ? " (no side effects)" : ""}`,
      [method.input, method.output].map((message) => `${message.name} ${textOf(message)}`),
    ]);
    expect(Object.fromEntries(described)).toEqual(PINNED);
    expect(AdminService.methods.every(({ methodKind }) => methodKind === "unary")).toBe(true);
    const info = AdminService.method.whoami.output.fields[0]?.message;
    expect(info && textOf(info)).toBe(WHOAMI_INFO);
    expect(Object.fromEntries(DirectionSchema.values.map(({ name, number }) => [name, number]))).toEqual({
      DIRECTION_UNSPECIFIED: 0,
      DIRECTION_PUSH: 1,
      DIRECTION_PULL: 2,
    });
  });
});
