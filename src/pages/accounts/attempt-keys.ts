import { createHmac, randomBytes } from "node:crypto";
import ipaddr from "ipaddr.js";
import { parseEmail } from "./email.js";

/**
 * What attempts are counted under: buckets instead of names, so that however many names come, what is remembered has a bound. The secret of this object
 * keeps anybody from choosing names that share a bucket with another's; by chance a name shares it with one in 32 768.
 */
export class AttemptKeys {
  readonly #secret: Buffer = randomBytes(32);
  readonly #buckets: number;

  constructor(buckets = 32_768) {
    this.#buckets = buckets;
  }

  /** Of who may have a whole network to send from: with IPv6 the first 64 bits count, which is what one customer is given. */
  address(address: string): string {
    return this.#bucket("address", network(address));
  }

  /** An email in any of its forms. */
  email(email: string): string {
    return this.#bucket("email", oneForm(email));
  }

  /** An email from one address. */
  pair(address: string, email: string): string {
    return this.#bucket("pair", `${network(address)} ${oneForm(email)}`);
  }

  /** The same, under a key of its own. */
  exactPair(address: string, email: string): string {
    return this.#digest("pair", `${network(address)} ${oneForm(email)}`).toString("base64url");
  }

  #bucket(kind: string, name: string): string {
    return `${kind} ${this.#digest(kind, name).readUInt32BE() % this.#buckets}`;
  }

  #digest(kind: string, name: string): Buffer {
    return createHmac("sha256", this.#secret).update(`${kind} ${name}`).digest();
  }
}

function network(address: string): string {
  if (!ipaddr.isValid(address)) return address;
  const parsed = ipaddr.process(address);
  if (parsed instanceof ipaddr.IPv4) return parsed.toString();
  return parsed.parts.slice(0, 4).join(":");
}

function oneForm(email: string): string {
  try {
    return parseEmail(email);
  } catch {
    // Nobody's: one bucket like any other's.
    return String(email);
  }
}
