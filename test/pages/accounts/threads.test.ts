import { describe, expect, it } from "vitest";
import { buildOnce } from "../../support/build-once.js";
import { spawnNode } from "../../support/child.js";
import { expectProcessEnds } from "../../support/open-handles.js";
import { size } from "../../support/size.js";
import { tempDir } from "../../support/temp-dir.js";
import { waitFor } from "../../support/wait.js";
import { CHEAP, openAccounts, PASSWORD } from "./open-accounts.js";

const SLOW = { memoryKiB: 65_536, iterations: 20 } as const;

describe("createWorkerAccounts", () => {
  it("loses nothing that was answered when the process is killed", async () => {
    const program = await buildOnce("test/pages/accounts/signup-child.ts");
    for (let round = 0; round < size({ test: 2, soak: 30 }); round += 1) {
      const dir = tempDir();
      const child = spawnNode(program, [dir]);
      await child.waitForLine(new RegExp(`^user${3 + 7 * round}@`));
      await child.kill();
      const accounts = openAccounts({ dir });
      expect(child.lines.length).toBeGreaterThan(3);
      const ids = new Set(await accounts.databaseIds());
      for (const line of child.lines) expect(ids).toContain(line.split(" ")[2]);
      const [email = "", orgId] = child.lines.at(-1)?.split(" ") ?? [];
      expect(await accounts.login(email, PASSWORD)).toMatchObject({ email, orgId });
    }
  });

  it("refuses a folder that another process has, and takes it when that has ended", async () => {
    const dir = tempDir();
    const child = spawnNode(await buildOnce("test/pages/accounts/signup-child.ts"), [dir]);
    await child.waitForLine(/^user0@/);
    const accounts = openAccounts({ dir });
    await expect(accounts.open()).rejects.toMatchObject({
      code: "PAGE_STORE",
      message: expect.stringContaining("in use by another page server"),
    });
    await child.kill();
    await accounts.open();
    expect(await accounts.login("user0@example.com", PASSWORD)).toMatchObject({ email: "user0@example.com" });
  });

  it("lets its process end when nothing is under way, closed or not", async () => {
    const program = await buildOnce("test/pages/accounts/one-login.ts");
    await Promise.all(["closes", "leaves"].map((what) => expectProcessEnds(program, { args: [tempDir(), what] })));
  });

  it("rejects what is under way when its thread dies, and goes on with another", async () => {
    const entry = await buildOnce("test/pages/accounts/mortal-worker.ts");
    const accounts = openAccounts({}, entry);
    const ann = await accounts.signup("ann@example.com", PASSWORD);
    const death = new BroadcastChannel("account-worker");
    const slow = openAccounts({ passwordCost: SLOW }, entry);
    await slow.open();
    const login = expect(slow.login("nobody@example.com", PASSWORD)).rejects.toMatchObject({
      code: "WORKER_FAILED",
      retryable: true,
    });
    death.postMessage("die");
    death.close();
    await login;
    // Its lock went with it.
    expect(await waitFor(() => accounts.login("ann@example.com", PASSWORD))).toEqual(ann);
    expect(await waitFor(() => slow.databaseIds())).toEqual([]);
  });

  it("goes on with another thread for passwords when one dies", async () => {
    const entry = await buildOnce("test/pages/accounts/mortal-worker.ts");
    const accounts = openAccounts({ passwordCost: SLOW, passwordThreads: 1 }, entry);
    await accounts.open();
    const login = accounts.login("nobody@example.com", PASSWORD).catch((error) => error);
    const death = new BroadcastChannel("password-worker");
    // Told until it is there to hear it.
    const told = setInterval(() => death.postMessage("die"), 20);
    expect(await login).toMatchObject({ code: "WORKER_FAILED", message: expect.stringContaining("password") });
    clearInterval(told);
    death.close();
    await accounts.close();
    const cheap = openAccounts({ dir: accounts.dir, passwordCost: CHEAP, passwordThreads: 1 }, entry);
    await cheap.signup("ann@example.com", PASSWORD);
    const kill = new BroadcastChannel("password-worker");
    kill.postMessage("die");
    kill.close();
    expect(await waitFor(() => cheap.login("ann@example.com", PASSWORD))).toMatchObject({ email: "ann@example.com" });
  });
});
