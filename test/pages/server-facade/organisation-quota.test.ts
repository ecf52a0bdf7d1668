import { describe, expect, it } from "vitest";
import { ReplicaError } from "../../../src/errors.js";
import { OrganisationQuota } from "../../../src/pages/organisation-quota.js";

/** A quota over databases of these sizes, all of one organisation, and what pushes that broke off have left of them. */
function quotaOver(stored: Record<string, number>, leftovers: Record<string, number> = {}): OrganisationQuota {
  return new OrganisationQuota({
    accounts: {
      listDatabases: async (orgId) => Object.keys(stored).map((id) => ({ id, orgId, name: id, createdAt: 0 })),
    },
    store: {
      bytes: async (id) => stored[id] ?? 0,
      async trimLeftovers(id, maxBytes) {
        if ((leftovers[id] ?? 0) > maxBytes) leftovers[id] = 0;
        return leftovers[id] ?? 0;
      },
    },
    maxDatabaseBytes: 80,
    maxOrganisationBytes: 100,
  });
}

async function refusal(work: Promise<unknown>): Promise<string> {
  return await work.then(
    () => "none",
    (error: unknown) => (error instanceof ReplicaError ? error.code : String(error)),
  );
}

describe("the quota of an organisation", () => {
  it("lets a push in where all databases have room together, to the byte", async () => {
    const quota = quotaOver({ a: 40, b: 20 });
    expect(await refusal(quota.reserve("o", "c", 41))).toBe("QUOTA_EXCEEDED");
    await expect(quota.reserve("o", "c", 40)).resolves.toBeTypeOf("function");
  });

  it("counts what a database takes now not beside what it will take", async () => {
    const quota = quotaOver({ a: 60, b: 30 });
    expect(await refusal(quota.reserve("o", "a", 70))).toBe("none");
    expect(await refusal(quota.reserve("o", "a", 71))).toBe("QUOTA_EXCEEDED");
  });

  it("refuses one database more than it may take, whatever the room", async () => {
    const quota = quotaOver({ a: 0 });
    expect(await refusal(quota.reserve("o", "a", 80))).toBe("none");
    expect(await refusal(quota.reserve("o", "a", 81))).toBe("QUOTA_EXCEEDED");
  });

  it("counts pushes under way, until they give their room back", async () => {
    const quota = quotaOver({ a: 0, b: 0 });
    const first = await quota.reserve("o", "a", 60);
    expect(await refusal(quota.reserve("o", "b", 60))).toBe("QUOTA_EXCEEDED");
    // Whoever was refused holds nothing.
    const second = await quota.reserve("o", "b", 40);
    first();
    first();
    second();
    expect(await refusal(quota.reserve("o", "b", 80))).toBe("none");
  });

  it("lets not both of two in that come at once and have room for one", async () => {
    const quota = quotaOver({ a: 0, b: 0 });
    const ends = await Promise.all([refusal(quota.reserve("o", "a", 60)), refusal(quota.reserve("o", "b", 60))]);
    expect(ends).toContain("QUOTA_EXCEEDED");
  });

  it("counts the larger of two pushes to one database, and each until its end", async () => {
    const quota = quotaOver({ a: 0, b: 0 });
    const small = await quota.reserve("o", "a", 30);
    const large = await quota.reserve("o", "a", 70);
    expect(await refusal(quota.reserve("o", "b", 31))).toBe("QUOTA_EXCEEDED");
    large();
    const other = await quota.reserve("o", "b", 70);
    expect(await refusal(quota.reserve("o", "b", 71))).toBe("QUOTA_EXCEEDED");
    small();
    other();
  });

  it("holds nothing where it cannot find out what is stored", async () => {
    let broken = true;
    const quota = new OrganisationQuota({
      accounts: { listDatabases: async (orgId) => ["a", "b"].map((id) => ({ id, orgId, name: id, createdAt: 0 })) },
      store: {
        bytes: async () => {
          if (broken) throw new Error("no disk");
          return 0;
        },
        trimLeftovers: async () => 0,
      },
      maxDatabaseBytes: 80,
      maxOrganisationBytes: 100,
    });
    expect(await refusal(quota.reserve("o", "a", 80))).toContain("no disk");
    broken = false;
    expect(await refusal(quota.reserve("o", "b", 80))).toBe("none");
  });

  it("keeps what pushes that broke off have left only where there is room for it", async () => {
    const leftovers = { a: 20, b: 30, c: 30 };
    const quota = quotaOver({ a: 10, b: 0, c: 0 }, leftovers);
    expect(await refusal(quota.reserve("o", "c", 40))).toBe("none");
    expect(leftovers).toEqual({ a: 20, b: 30, c: 0 });
    // They keep nobody out.
    expect(await refusal(quota.reserve("o", "b", 50))).toBe("none");
    expect(leftovers).toEqual({ a: 0, b: 0, c: 0 });
    expect(await refusal(quota.reserve("o", "b", 51))).toBe("QUOTA_EXCEEDED");
  });

  it("does not count a database that is deleted meanwhile", async () => {
    const gone = async () => {
      throw new ReplicaError("UNKNOWN_DATABASE", "gone");
    };
    const quota = new OrganisationQuota({
      accounts: { listDatabases: async (orgId) => [{ id: "a", orgId, name: "a", createdAt: 0 }] },
      store: { bytes: gone, trimLeftovers: gone },
      maxDatabaseBytes: 80,
      maxOrganisationBytes: 100,
    });
    expect(await refusal(quota.reserve("o", "b", 80))).toBe("none");
  });

  it("does not count what other organisations push", async () => {
    const quota = quotaOver({});
    await quota.reserve("o", "a", 80);
    expect(await refusal(quota.reserve("p", "b", 80))).toBe("none");
  });
});
