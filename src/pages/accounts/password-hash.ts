/** What one hash costs whoever computes it. */
export interface PasswordCost {
  readonly memoryKiB: number;
  readonly iterations: number;
}

/** An Argon2id hash and all that it takes to compute it again. */
export interface PasswordHash {
  readonly cost: PasswordCost;
  readonly salt: Uint8Array;
  readonly hash: Uint8Array;
}

const BASE64 = "[A-Za-z0-9+/]";
const PHC = new RegExp(
  `^\\$argon2id\\$v=19\\$m=([1-9][0-9]{0,6}),t=([1-9][0-9]{0,3}),p=1\\$(${BASE64}{11,86})\\$(${BASE64}{22,86})$`,
);

/**
 * The form that is stored, a PHC string (https://github.com/P-H-C/phc-string-format): the cost stands in it, so that old ones are understood when it goes
 * up. `read` gives `null` for anything else.
 */
export const phcString = {
  write({ cost, salt, hash }: PasswordHash): string {
    return `$argon2id$v=19$m=${cost.memoryKiB},t=${cost.iterations},p=1$${toBase64(salt)}$${toBase64(hash)}`;
  },
  read(text: string): PasswordHash | null {
    const [, memory, iterations, salt = "", hash = ""] = PHC.exec(text) ?? [];
    if (memory === undefined) return null;
    const cost = { memoryKiB: Number(memory), iterations: Number(iterations) };
    return { cost, salt: fromBase64(salt), hash: fromBase64(hash) };
  },
} as const;

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64").replace(/=+$/, "");
}

/** With memory of their own: what is sent to a thread takes all of its memory along. */
function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, "base64"));
}
