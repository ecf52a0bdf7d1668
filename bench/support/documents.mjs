/**
 * A document of about `bytes` bytes of JSON, the same for the same arguments: a list of records with text, numbers, flags and nested
 * objects. Two revisions differ in the top-level `revision` and in every fourth record.
 */
export function createDocument(bytes, revision) {
  const records = [];
  const document = { title: "Benchmark document", revision, records };
  for (let size = JSON.stringify(document).length; size < bytes; ) {
    const record = createRecord(records.length, records.length % 4 === 0 ? revision : 0);
    records.push(record);
    size += JSON.stringify(record).length + 1;
  }
  return document;
}

function createRecord(index, revision) {
  const seed = (index * 2_654_435_761 + revision * 40_503) >>> 0;
  return {
    id: `record-${index}`,
    revision,
    name: `Zoë ${seed.toString(36)}`,
    score: (seed % 100_000) / 1000,
    active: seed % 3 === 0,
    tags: ["alpha", `tag-${seed % 17}`, "gamma"],
    address: { street: `${seed % 400} Main Street`, city: "Springfield", zip: String(seed % 90_000), country: null },
  };
}
