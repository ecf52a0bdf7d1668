import { buildOnce } from "../../support/build-once.js";
import { type Child, spawnNode } from "../../support/child.js";
import { startTcpProxy, type TcpProxy } from "../../support/tcp-proxy.js";
import { KEY } from "../server-facade/page-host.js";

/** A page server in a process of its own, behind an address that stays the same whichever process is there. */
export interface PageProcess {
  /** `http://127.0.0.1:port` */
  readonly origin: string;
  readonly proxy: TcpProxy;
  readonly child: Child;
  /** What all of them told as failures on their side. */
  readonly errors: readonly string[];
  /** `kill -9`. */
  kill(): Promise<void>;
  /** Another process on the same folder; resolves when it listens. */
  restart(): Promise<void>;
  /** The most memory that it has had, in bytes; since `forgetPeak` where the system can tell. */
  peak(): Promise<number>;
  forgetPeak(): Promise<void>;
}

export async function startPageProcess(dir: string): Promise<PageProcess> {
  const entry = await buildOnce("test/pages/faults/server-child.ts");
  const errors: string[] = [];
  const start = async () => {
    const child = spawnNode(entry, [dir, KEY]);
    const [, port] = await child.waitForLine(/^ready (\d+)$/, 30_000);
    return { child, port: Number(port) };
  };
  let { child, port } = await start();
  const proxy = await startTcpProxy(port);
  const collect = () => {
    errors.push(...child.lines.filter((line) => line.startsWith("error ")));
    if (child.stderr !== "") errors.push(child.stderr);
  };
  return {
    origin: proxy.origin,
    proxy,
    get child() {
      return child;
    },
    get errors() {
      return [...errors, ...child.lines.filter((line) => line.startsWith("error "))];
    },
    async kill() {
      await child.kill();
      collect();
    },
    async restart() {
      ({ child, port } = await start());
      proxy.retarget(port);
    },
    async forgetPeak() {
      child.writeLine("forget");
      await child.waitForLine(/^peak/);
    },
    async peak() {
      child.writeLine("peak");
      const [, bytes] = await child.waitForLine(/^peak (\d+)$/);
      return Number(bytes);
    },
  };
}
