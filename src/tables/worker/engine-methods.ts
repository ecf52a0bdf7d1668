import type { TableEngine } from "../copy/table-engine.js";

/** What can be called across the thread: a method of `TableEngine` is one line here. */
export const ENGINE_METHODS: Readonly<Record<keyof TableEngine, true>> = {
  open: true,
  addTask: true,
  ensureTask: true,
  updateTask: true,
  removeTask: true,
  advance: true,
  verify: true,
  task: true,
  runs: true,
  close: true,
};
