/** Sends a message to the process that has forked this one. Where that has ended, or lets go, nobody is there to be told, which is no error here. */
export function sendToParent(message: unknown): void {
  // Without a callback a closed channel is an `error` event, which ends this process with a stack trace on the stderr of a parent that has ended in peace.
  process.send?.(message, undefined, undefined, () => {});
}
