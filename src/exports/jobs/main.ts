// What the package runs in the thread that runs export jobs (`#export-worker`).
export {};
