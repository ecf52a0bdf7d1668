/** Where a finished object is: what `complete` gives. */
export function s3Location(bucket: string, key: string): string {
  return `s3://${bucket}/${key}`;
}

/** The key in this bucket; `null` for a location that is not in it. */
export function keyOfLocation(bucket: string, location: string): string | null {
  const start = s3Location(bucket, "");
  return location.startsWith(start) && location.length > start.length ? location.slice(start.length) : null;
}
