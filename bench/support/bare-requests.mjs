import { Agent, request } from "node:http";

/**
 * Pulls collections past any replica, `connections` at a time over keep-alive sockets, and throws the answers away: what the primary
 * itself takes, as a measure of how near to it a contender comes. `hashes` makes the requests conditional.
 */
export function createBareRequests(url, connections) {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });

  function pull(name, hash) {
    const headers = hash === undefined ? {} : { "if-none-match": `"${hash}"` };
    return new Promise((resolve, reject) => {
      const sent = request(`${url}/pull/${name}/doc`, { agent, headers }, (response) => {
        response.resume();
        response.once("end", () => {
          if (response.statusCode === (hash === undefined ? 200 : 304)) resolve();
          else reject(new Error(`a bare request was answered ${response.statusCode}`));
        });
      });
      sent.on("error", reject);
      sent.end();
    });
  }

  return {
    pull,
    /** `c0` to `c<count - 1>`. */
    async pullAll(count, hashes) {
      let next = 0;
      const worker = async () => {
        while (next < count) {
          const index = next;
          next += 1;
          await pull(`c${index}`, hashes?.[index]);
        }
      };
      await Promise.all(Array.from({ length: connections }, worker));
    },
  };
}
