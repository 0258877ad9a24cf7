// Readers with a fault on purpose, one for each thing that the harness must notice: it is no proof that nothing was wrong
// unless it can say that something was. Not among the readers of `files.mjs`; named, each runs like them.
import { utf8 } from "./bytes.mjs";

const files = [utf8('{"a": [1, 2, 3], "b": "text"}')];
const target = (read) => async () => {
  const { ArgumentError } = await import("../../packages/core/dist/index.js");
  const refuse = () => {
    const facts = { received: "bytes", expected: "the file as it was", fix: "give the whole file." };
    throw new ArgumentError({ fn: "faulty", argument: "file", ...facts });
  };
  return {
    files,
    // The file itself is read without a fault, or there would be nothing to damage.
    read: (bytes) => (files.includes(bytes) ? bytes.length : read(bytes, refuse)),
  };
};
/** True where a fault shows: in one of sixteen changed files or fewer. */
const hit = (bytes) => (bytes.reduce((sum, byte) => sum + byte, 0) & 15) === 0;
let kept;
/** Keeps the processor busy, which is what the harness counts: a machine that waits is none of the reader's doing. */
function spin(ms) {
  const busyMs = () => process.cpuUsage().user / 1000;
  const start = busyMs();
  let sum = 0;
  while (busyMs() - start < ms) for (let i = 0; i < 1e6; i++) sum += Math.sqrt(i);
  return sum;
}

/** By the name of the fault, which is part of what the harness says of it. */
export const faulty = {
  "faulty: raw error": target((bytes, refuse) => (hit(bytes) ? JSON.parse("{") : refuse())),
  "faulty: prototype": target((bytes, refuse) => {
    if (hit(bytes)) Object.prototype.polluted = bytes.length;
    refuse();
  }),
  "faulty: time": target((bytes, refuse) => {
    if (hit(bytes)) spin(1100);
    refuse();
  }),
  "faulty: memory": target((bytes, refuse) => {
    kept = hit(bytes) ? new Uint8Array(100 * 2 ** 20).fill(1) : undefined;
    refuse(kept);
  }),
  "faulty: end of the process": target((bytes, refuse) => {
    if (hit(bytes)) process.exit(3);
    refuse();
  }),
  "faulty: no end": target((bytes, refuse) => {
    while (hit(bytes));
    refuse();
  }),
  "faulty: nothing thrown": target(async (bytes, refuse) => {
    await Promise.resolve();
    if (hit(bytes)) throw undefined;
    refuse();
  }),
};
