import { fork } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { atEnd } from "../support/at-end.js";
import { buildOnce } from "../support/build-once.js";

describe("sendToParent", () => {
  it("reaches a parent, and is quiet where that has let go", async () => {
    const entry = await buildOnce("test/threads/sending-child.ts");
    const child = fork(entry, [], { execArgv: [], stdio: ["ignore", "ignore", "pipe", "ipc"] });
    atEnd(() => void child.kill());
    // There is no `close` event for a child that was let go.
    const exited = once(child, "exit");
    const said = text(child.stderr as Readable);
    expect((await once(child, "message"))[0]).toBe("first");
    child.disconnect();
    expect([(await exited)[0], await said]).toEqual([0, ""]);
  });
});
