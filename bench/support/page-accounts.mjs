/** Signs the tokens of page servers that live for minutes, on loopback. */
export const BENCH_SESSION_KEY = Buffer.alloc(32, "benchmark").toString("base64");

/** Signs up at a page server that nobody knows yet, and makes databases. Gives the sync tokens by the database's name: `{ push, pull }`. */
export async function makePageDatabases(url, names) {
  const user = { email: "bench@example.com", password: "a password of the benchmark's" };
  const { sessionToken } = await ask(url, "Signup", user);
  const tokens = {};
  for (const name of names) {
    const database = await ask(url, "CreateDatabase", { name }, sessionToken);
    const issue = async (direction) => {
      const { token } = await ask(url, "IssueSyncToken", { databaseId: database.id, direction }, sessionToken);
      return token;
    };
    tokens[name] = { push: await issue("DIRECTION_PUSH"), pull: await issue("DIRECTION_PULL") };
  }
  return tokens;
}

/** The protocol Connect: https://connectrpc.com/docs/protocol */
async function ask(url, method, message, session) {
  const response = await fetch(`${url}/edgereplica.admin.v1.AdminService/${method}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...(session && { authorization: `Bearer ${session}` }) },
    body: JSON.stringify(message),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(`${method}: ${JSON.stringify(answer)}`);
  return answer;
}
