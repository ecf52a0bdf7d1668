import type { Cluster } from "./cluster.js";
import type { Paint, Span } from "./paint.js";

/** What the demo says before it shows anything: where things are, and what to try. Each line that begins with `curl` can be pasted as it is. */
export function greeting(
  { dir, primary, replica }: Pick<Cluster, "dir" | "primary" | "replica">,
  paint: Paint,
): string {
  const lines: Span[][] = [
    [["starfish-replica demo", "bold"]],
    [],
    [["primary  "], [primary.url, "cyan"], ["  wants signed requests"]],
    [["replica  "], [replica.url, "cyan"], ["  needs no credentials"]],
    [["files    "], [dir]],
    [],
    [["# stock is synced when it is read: see its staleness", "dim"]],
    [[`curl -s ${replica.url}/pull/stock`]],
    [],
    [["# read, edit, write back: the replica passes it on to the primary", "dim"]],
    [[editCommand(replica.url)]],
    [],
  ];
  return lines.map((line) => `${paint(line)}\n`).join("");
}

/** What a pull answers is what a push takes, but for the name of the hash: so one line is enough, and works as often as it is pasted. */
function editCommand(url: string): string {
  const edit = `sed 's/"hash"/"baseHash"/; s/"apples":[0-9]*/"apples":7/'`;
  const push = `curl -s -H content-type:application/json -d @- ${url}/push/stock`;
  return `curl -s ${url}/pull/stock | ${edit} | ${push}`;
}
