/** A URL as errors may show it: without credentials, query values and fragment. */
export function describeUrl(url: string | URL): string {
  try {
    const { origin, pathname } = new URL(url);
    return `${origin}${pathname}`;
  } catch {
    return "the primary's URL";
  }
}
