// Sends on after its parent has let go.
import { sendToParent } from "../../src/threads/send-to-parent.js";

// Keeps it alive until then.
process.on("message", () => {});
sendToParent("first");
process.once("disconnect", () => sendToParent("second"));
