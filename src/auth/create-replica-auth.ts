import type { ReplicaAuth, ReplicaAuthOptions } from "./replica-auth.js";

/**
 * Authenticates a replica to its primaries: derives the identity of a passphrase, or takes a device's credentials, and
 * signs requests with it. Throws a `TypeError` on options that cannot work, `INVALID_CREDENTIALS` on a passphrase or
 * credentials that cannot; neither repeats a secret.
 */
export async function createReplicaAuth(options: ReplicaAuthOptions): Promise<ReplicaAuth> {
  // The cryptography loads when the first identity is opened: a replica that sends a bearer token never needs it.
  const { openReplicaAuth } = await import("./open-replica-auth.js");
  return await openReplicaAuth(options);
}
