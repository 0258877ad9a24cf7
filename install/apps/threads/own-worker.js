/* global Worker */
/** A worker that this program bundles, with other code of its own if it had any. */
export const ownWorker = () => new Worker(new URL("./served-worker.js", import.meta.url), { type: "module" });
