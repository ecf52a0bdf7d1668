import { randomBytes, timingSafeEqual } from "node:crypto";
import { ReplicaError } from "../../errors.js";
import { type PasswordCost, type PasswordHash, phcString } from "./password-hash.js";
import type { PasswordThreads } from "./password-threads.js";

/** The first of those that OWASP names as equally good: https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html#argon2id */
const OWASP_COST: PasswordCost = { memoryKiB: 47_104, iterations: 1 };

const SALT_BYTES = 16;
const HASH_BYTES = 32;

/** Makes and checks password hashes in the form that is stored. */
export class Passwords {
  readonly #threads: PasswordThreads;
  readonly #cost: PasswordCost;
  readonly #nobodys: PasswordHash;

  /** @param cost of new hashes. Default: 46 MiB once over, about a tenth of a second. */
  constructor(threads: PasswordThreads, cost: PasswordCost = OWASP_COST) {
    this.#threads = threads;
    this.#cost = cost;
    this.#nobodys = { cost, salt: newSalt(), hash: Uint8Array.from(randomBytes(HASH_BYTES)) };
  }

  /** The PHC string of a password, with a salt of its own. @throws as `PasswordThreads.derive` */
  async hash(password: Uint8Array): Promise<string> {
    const salt = newSalt();
    return phcString.write({ cost: this.#cost, salt, hash: await this.#threads.derive(password, salt, this.#cost) });
  }

  /**
   * Whether it is the password. Where there is none stored (`null`), the same work is done, so that nobody learns it from the time.
   * @throws as `PasswordThreads.derive`
   */
  async isRight(password: Uint8Array, stored: string | null): Promise<boolean> {
    const { cost, salt, hash } = stored === null ? this.#nobodys : read(stored);
    const computed = await this.#threads.derive(password, salt, cost);
    return timingSafeEqual(computed, hash) && stored !== null;
  }

  /** Whether new hashes cost another than this one. */
  isOutdated(stored: string): boolean {
    const { cost } = read(stored);
    return cost.memoryKiB !== this.#cost.memoryKiB || cost.iterations !== this.#cost.iterations;
  }
}

function newSalt(): Uint8Array {
  return Uint8Array.from(randomBytes(SALT_BYTES));
}

function read(stored: string): PasswordHash {
  const hash = phcString.read(stored);
  if (hash?.hash.length !== HASH_BYTES) {
    throw new ReplicaError("PAGE_STORE", "A password hash in accounts.db is not one that this package has written", {
      hint: "Restore accounts.db from a backup.",
    });
  }
  return hash;
}
