/** Counts what passes through the sockets of an HTTP server: bytes as they are on the wire, heads included. */
export function countTraffic(server) {
  const open = new Set();
  const closed = { received: 0, sent: 0 };
  let requests = 0;
  let pushes = 0;
  let peakSockets = 0;
  let base = { received: 0, sent: 0 };

  const totals = () => {
    const sum = { ...closed };
    for (const socket of open) {
      sum.received += socket.bytesRead;
      sum.sent += socket.bytesWritten;
    }
    return sum;
  };

  server.on("request", ({ method }) => {
    requests += 1;
    if (method === "POST") pushes += 1;
  });
  server.on("connection", (socket) => {
    open.add(socket);
    peakSockets = Math.max(peakSockets, open.size);
    socket.once("close", () => {
      open.delete(socket);
      closed.received += socket.bytesRead;
      closed.sent += socket.bytesWritten;
    });
  });

  return {
    /** Counts from here. */
    mark() {
      requests = 0;
      pushes = 0;
      peakSockets = open.size;
      base = totals();
    },
    /** Since the mark; `bytes` in both directions, `peakSockets` those open at the mark included. */
    counters() {
      const { received, sent } = totals();
      return { requests, pushes, peakSockets, bytes: received - base.received + sent - base.sent };
    },
  };
}
