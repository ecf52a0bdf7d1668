import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { inCi } from "../support/size.js";
import { tempDir } from "../support/temp-dir.js";
import { waitFor } from "../support/wait.js";
import { BUILT_CLI } from "./built-cli.js";
import { hasScript, spawnInTerminal, type TerminalChild } from "./terminal-child.js";

const cli = BUILT_CLI;

/** Starts the demo on a terminal between two looks at its settings, and waits for its table. */
async function startDemo(redirect = ""): Promise<{ terminal: TerminalChild; tmp: string; before: string }> {
  const tmp = tempDir();
  const demo = `"${process.execPath}" "${cli}" demo ${redirect}`;
  // A shell that traps Ctrl-C goes on after it.
  const terminal = spawnInTerminal(`trap : INT; stty -g; ${demo}; echo "ended with $?"; stty -g`, { TMPDIR: tmp });
  const [, before = ""] = await terminal.waitFor(/^(\S+:\S+)\r?\n/);
  await terminal.waitFor(/prices +pull_only +\w{7} = /);
  return { terminal, tmp, before };
}

/** Waits until the demo has ended with 0, and the terminal is as it was. */
async function endedWell({ terminal, tmp, before }: Awaited<ReturnType<typeof startDemo>>): Promise<void> {
  await terminal.waitFor(/Stopped; its files are removed\.\r\nended with 0\r\n/);
  const [, after] = await terminal.waitFor(/(\S+:\S+)\r?\n/);
  expect(after).toBe(before);
  await terminal.exited;
  expect(readdirSync(tmp)).toEqual([]);
}

describe.skipIf(!hasScript)("the demo's keys (need `script` of util-linux)", () => {
  it("stop the primary, write at the replica, start the primary: what was written arrives", async () => {
    const demo = await startDemo();
    const { terminal } = demo;
    await terminal.waitFor(/primary: up/);
    terminal.type("p");
    await terminal.waitFor(/primary: stopped, press p to start it/);
    terminal.type("w");
    await terminal.waitFor(/notes +bidirectional +\w{7} . \w{7} .* waiting +UNREACHABLE/);
    await terminal.waitFor(/sales +push_only +\w{7} .* waiting +UNREACHABLE/);
    await terminal.waitFor(/you wrote a note and sale \d+: the replica has stored both/);
    terminal.type("P");
    await terminal.waitFor(/notes +bidirectional +(\w{7}) = \1 .* sent \d+ /);
    await terminal.waitFor(/sales +push_only +(\w{7}) = \1 .* sent \d+ /);
    await terminal.waitFor(/primary: up/);
    terminal.type("q");
    await endedWell(demo);
  });

  it.runIf(inCi)("are not echoed, and count as often as they are pressed", async () => {
    const demo = await startDemo();
    demo.terminal.type("£");
    demo.terminal.type("ppwpw");
    await demo.terminal.waitFor(/primary: stopped[\s\S]*you wrote/);
    demo.terminal.type("q");
    await endedWell(demo);
    expect(demo.terminal.text).not.toContain("£");
  });

  it.runIf(inCi)("are not those that an arrow, a keypad or Alt is made of", async () => {
    const demo = await startDemo();
    demo.terminal.type("\x1b[A\x1bOp\x1bp\x10");
    demo.terminal.type("w");
    await demo.terminal.waitFor(/you wrote/);
    await demo.terminal.waitFor(/primary: /);
    expect(demo.terminal.text).not.toContain("primary: stopped");
    demo.terminal.type("q");
    await endedWell(demo);
  });

  it.runIf(inCi)("end it in good order with Ctrl-C, also while the primary is stopped", async () => {
    const demo = await startDemo();
    demo.terminal.type("p");
    await demo.terminal.waitFor(/primary: stopped/);
    demo.terminal.type("\x03");
    await endedWell(demo);
  });

  it("hurry it with a second Ctrl-C, and the terminal is as it was", async () => {
    const { terminal, tmp, before } = await startDemo();
    terminal.type("\x03\x03");
    await terminal.waitFor(/ended with 0\r\n/);
    const [, after] = await terminal.waitFor(/(\S+:\S+)\r?\n/);
    expect(after).toBe(before);
    expect(readdirSync(tmp)).toEqual([]);
  });

  it("are missed by nobody when the terminal goes away: its files are removed", async () => {
    const { terminal, tmp } = await startDemo();
    expect(readdirSync(tmp)).toHaveLength(1);
    await terminal.hangUp();
    await waitFor(() => readdirSync(tmp).length === 0);
  });

  it.runIf(inCi)("are not offered where they come from elsewhere, and Ctrl-C still ends it", async () => {
    const demo = await startDemo("</dev/null");
    await demo.terminal.waitFor(/Ctrl-C ends it/);
    expect(demo.terminal.text).not.toContain("w writes");
    demo.terminal.type("\x03");
    await endedWell(demo);
  });

  it.runIf(inCi)("are not asked for in the background, where that would stop it", async () => {
    const tmp = tempDir();
    const terminal = spawnInTerminal(
      `set -m; "${process.execPath}" "${cli}" demo & trap "kill $!" USR1; echo "shell $$"; until wait; do :; done; echo ended`,
      { TMPDIR: tmp },
    );
    const [, shell] = await terminal.waitFor(/shell (\d+)/);
    await terminal.waitFor(/prices +pull_only +\w{7} = [\s\S]*Ctrl-C ends it/);
    process.kill(Number(shell), "SIGUSR1");
    await terminal.waitFor(/Stopped; its files are removed\.[\s\S]*ended/);
    expect(readdirSync(tmp)).toEqual([]);
  });
});
