import { ReplicaError } from "../../errors.js";

const MIN_CHARACTERS = 8;
const MAX_BYTES = 1_024;

/**
 * A password as bytes: in Unicode's NFC, so that it is the same whichever keyboard it was typed on (RFC 8265, 4.2).
 * @throws `INVALID_ACCOUNT` for fewer than 8 characters or more than 1 024 bytes
 */
export function parsePassword(value: unknown): Uint8Array {
  const text = typeof value === "string" ? value : "";
  const bytes = toBytes(text);
  if ([...text.slice(0, 2 * MIN_CHARACTERS)].length < MIN_CHARACTERS) {
    throw new ReplicaError(
      "INVALID_ACCOUNT",
      `The password is too short: it needs at least ${MIN_CHARACTERS} characters`,
      {
        hint: "A sentence of a few words is easy to remember and hard to guess.",
      },
    );
  }
  if (bytes === null) {
    throw new ReplicaError("INVALID_ACCOUNT", `The password is too long: it may have at most ${MAX_BYTES} bytes`, {
      hint: "Give a shorter one.",
    });
  }
  return bytes;
}

/** The bytes of whatever somebody logs in with; one zero for what can be nobody's password, which is nobody's either and takes as long to refuse. */
export function passwordBytes(value: unknown): Uint8Array {
  const bytes = typeof value === "string" ? toBytes(value) : null;
  return bytes === null || bytes.length === 0 ? new Uint8Array(1) : bytes;
}

/** `null` where there are too many. */
function toBytes(text: string): Uint8Array | null {
  // Before it is worked on: no form of a text is shorter in bytes than a third of its length.
  if (text.length > 3 * MAX_BYTES) return null;
  const bytes = new TextEncoder().encode(text.normalize("NFC"));
  return bytes.length > MAX_BYTES ? null : bytes;
}
