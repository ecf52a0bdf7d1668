const COMMON = `  --server URL        the page server, or STARFISH_REPLICA_SERVER
  --json              one JSON object a line: the result on standard output,
                      events such as {"event":"progress"} on standard error
  -h, --help          prints this text
`;

const EXIT_CODES = "Exit codes: 0 all went well, 1 failed or interrupted, 2 wrong usage\n";

const PASSWORD = `The password is asked for on a terminal, read from a pipe, or taken from
STARFISH_REPLICA_PASSWORD. The login is kept in the user's config folder
(XDG_CONFIG_HOME), readable by the user alone, one for each server.
`;

/** What `<command> --help` prints, for the commands at a page server. */
export const PAGE_USAGE: Readonly<Record<PageCommand, string>> = {
  signup: `Usage: starfish-replica signup EMAIL [flags]

Makes an account and an organisation of its own, and logs in. A password has
at least 8 characters.

${PASSWORD}
Flags:
${COMMON}
${EXIT_CODES}`,
  login: `Usage: starfish-replica login EMAIL [flags]

Logs in.

${PASSWORD}
Flags:
${COMMON}
${EXIT_CODES}`,
  whoami: `Usage: starfish-replica whoami [flags]

Prints who is logged in, asking the server.

Flags:
${COMMON}
${EXIT_CODES}`,
  oauth: `Usage: starfish-replica oauth start github | google [flags]
       starfish-replica oauth complete --state S --code C [flags]

Logs in with an account elsewhere. \`start\` prints the address to open in a
browser; the page that the browser ends on shows the \`complete\` command.

Flags:
  --state S, --code C as that page shows them
${COMMON}
${EXIT_CODES}`,
  db: `Usage: starfish-replica db create NAME [flags]
       starfish-replica db list
       starfish-replica db delete ID
       starfish-replica db token ID --direction push|pull [--ttl-seconds N]

Databases of one's organisation at the server. \`create\` prints the id alone,
\`token\` the token alone, \`list\` a line of id, tab and name for each. \`delete\`
removes the database and its file, and ends the syncs of it.

Flags:
  --direction D       what the token is for: push or pull
  --ttl-seconds N     how long it lasts; default: what the server has (an hour)
${COMMON}
Example:
  ID=$(starfish-replica db create shop)
  T=$(starfish-replica db token "$ID" --direction push)

${EXIT_CODES}`,
  sync: `Usage: starfish-replica sync push --db FILE --token T [flags]
       starfish-replica sync pull --db FILE --token T [flags]

Makes the server's database what a SQLite file is now, or the file what the
server's database is. Only pages that differ travel. The file may be in use.
Beside it, <FILE>-replica.json remembers what it came from.

Flags:
  --db FILE           the SQLite file; a pull makes it where there is none
  --token T           a sync token, or STARFISH_REPLICA_SYNC_TOKEN, which other
                      users of this machine do not see in the list of processes
  --force             push: replace what others have pushed since
                      pull: replace what was changed in the file since
  --check             pull: have SQLite check what arrived before it is used
${COMMON}
Examples:
  starfish-replica sync push --db shop.db --token "$T"
  starfish-replica sync pull --db copy.db --token "$T" --check

${EXIT_CODES}`,
};

/** A command at a page server. */
export type PageCommand = "signup" | "login" | "whoami" | "oauth" | "db" | "sync";

/** Whether that is one. */
export function isPageCommand(name: string): name is PageCommand {
  return Object.hasOwn(PAGE_USAGE, name);
}
