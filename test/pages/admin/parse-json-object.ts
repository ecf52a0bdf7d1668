/** The body of an answer that must be a JSON object. */
export async function parseJsonObject(response: Response): Promise<Record<string, unknown>> {
  const value: unknown = JSON.parse(await response.text());
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Error("no JSON object");
  return value as Record<string, unknown>;
}
