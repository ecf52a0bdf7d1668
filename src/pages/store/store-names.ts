const ID = /^[A-Za-z0-9_-]{1,128}$/;
const VERSION = /^([1-9][0-9]{0,14})\.(.+)$/;

/** Whether it is the id of a database, which is a name of files too. */
export function isDatabaseId(id: string): boolean {
  return ID.test(id);
}

/** The generation that a file in a database's folder belongs to, and the rest of its name; `null` for what is not ours. */
export function parseVersionName(name: string): { readonly generation: number; readonly rest: string } | null {
  const match = VERSION.exec(name);
  const generation = Number(match?.[1]);
  if (match?.[2] === undefined || !/^(db(-wal|-shm|-journal)?|([0-9]+\.)?hashes)$/.test(match[2])) return null;
  return { generation, rest: match[2] };
}
