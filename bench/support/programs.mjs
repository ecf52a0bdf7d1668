import { spawnSync } from "node:child_process";

const INSTALL = {
  psql: "apt-get install postgresql-client",
  sqlite3: "apt-get install sqlite3",
  sha256sum: "apt-get install coreutils",
};

/** What programs call themselves. @throws where one is missing, saying how to install it */
export function verifyPrograms(names) {
  return names.map((name) => {
    const { stdout, error } = spawnSync(name, ["--version"], { encoding: "utf8" });
    if (error) throw new Error(`The program ${name} is missing (${error.code}). On Debian: ${INSTALL[name]}`);
    return `${name} ${/\d+(\.\d+)+/.exec(stdout)?.[0] ?? ""}`.trim();
  });
}
