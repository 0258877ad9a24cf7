/* global Worker */
/** A worker of the program's own without a bundler: the file of the package, which needs no import map. */
export const ownWorker = () =>
  new Worker("/node_modules/@qkv/worker/dist/model-worker.js", { type: "module" });
