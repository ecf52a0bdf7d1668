const SERVER_FLAGS = `
  --server URL        the server, or STARFISH_REPLICA_SERVER
  --token TOKEN       its control token, or STARFISH_REPLICA_TOKEN, which other
                      users of this machine do not see in the list of processes
  --json              one JSON object a line: the result on standard output,
                      events such as {"event":"progress"} on standard error
  -h, --help          prints this text
`;

/** What `export <name> --help` prints; `""` is `export --help`. */
export const EXPORT_USAGE: Readonly<Record<string, string>> = {
  "": `Usage: starfish-replica export <command> [flags]

Takes a server's data out as SQL, CSV, JSON or NDJSON. A job goes on at the
server whatever becomes of this program; a download goes on where it broke off.

Commands:
  start          starts a job, waits for it and prints its id
  status [JOB]   the jobs, or one of them
  download JOB   fetches what a job has made
  cancel JOB     ends a job, and removes it and its file

Each has a --help of its own.

Flags:${SERVER_FLAGS}
Example:
  export STARFISH_REPLICA_SERVER=http://127.0.0.1:4000
  export STARFISH_REPLICA_TOKEN=...
  JOB=$(starfish-replica export start --format csv --table orders)
  starfish-replica export download "$JOB" -o orders.csv

Exit codes: 0 all went well, 1 failed or interrupted, 2 wrong usage
`,
  start: `Usage: starfish-replica export start [flags]

Starts a job, shows how it gets on until it has ended (on standard error), and
prints its id alone on standard output. Ctrl-C leaves the job running.

Flags:
  --format F          sql (default), csv, json or ndjson; csv takes one table
  --table NAME        this table alone; may be given several times
  --callback URL      is sent the job once it has ended
  --no-wait           returns once the job has been taken in
  --download [FILE]   fetches the file at the end, as \`export download\` does:
                      into FILE, a folder, or under the server's name
  --force             --download may replace a file
${SERVER_FLAGS.slice(1)}
Examples:
  starfish-replica export start --download backup.sql
  starfish-replica export start --format ndjson --table users --table orders
  JOB=$(starfish-replica export start --no-wait)

Exit codes: 0 completed (or taken in), 1 failed or interrupted, 2 wrong usage
`,
  status: `Usage: starfish-replica export status [JOB] [flags]

Prints the jobs, newest first, or all about one.

Flags:
  --watch             shows how JOB gets on until it has ended; fails if it does
${SERVER_FLAGS.slice(1)}
Examples:
  starfish-replica export status
  starfish-replica export status "$JOB" --json | jq .progress.rowsDone

Exit codes: 0 all went well, 1 failed or interrupted, 2 wrong usage
`,
  download: `Usage: starfish-replica export download JOB [flags]

Fetches the file of a job that has completed, proves its SHA-256, and prints
where it is. Until then it is <file>.part with a note beside it, and the same
command goes on from there after Ctrl-C, a crash or a broken connection.

Flags:
  -o, --output FILE   a file, a folder, or - for standard output, which cannot
                      go on in another process; default: the server's name for
                      it, in the current folder
  --force             may replace a file
${SERVER_FLAGS.slice(1)}
Examples:
  starfish-replica export download "$JOB"
  starfish-replica export download "$JOB" -o backup.sql
  starfish-replica export download "$JOB" -o - | sqlite3 restored.db

Exit codes: 0 all went well, 1 failed or interrupted, 2 wrong usage
`,
  cancel: `Usage: starfish-replica export cancel JOB [flags]

Ends a job that waits or runs. Of one that has ended, removes the file. Either
way the job is gone then.

Flags:${SERVER_FLAGS}
Exit codes: 0 all went well, 1 failed or interrupted, 2 wrong usage
`,
};
