// What the package runs in the thread that makes one dump (`#dump-worker`).
export {};
