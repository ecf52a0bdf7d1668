// Run as a process of its own: it must end by itself once it has printed `done`.
import { createReplicaAuth } from "../../src/auth/create-replica-auth.js";

const auth = await createReplicaAuth({ passphrase: "a process of its own" });
await auth.sign({ method: "GET", url: "http://127.0.0.1:1/pull/x" });
console.log("done");
