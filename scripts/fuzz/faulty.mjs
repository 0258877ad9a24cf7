// Readers with deliberate faults, one for each failure that the fuzzer must detect. Without them, a run without
// findings would prove nothing. They run only if named on the command line.
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
    // The valid file itself is read correctly: otherwise the run would stop before the first mutation.
    read: (bytes) => (files.includes(bytes) ? bytes.length : read(bytes, refuse)),
  };
};
/** True for about one in sixteen mutated files, in which the fault shows. */
const hit = (bytes) => (bytes.reduce((sum, byte) => sum + byte, 0) & 15) === 0;
let leaked;
/** Uses processor time, which the time limit counts: time spent waiting does not count. */
function spin(ms) {
  const busyMs = () => process.cpuUsage().user / 1000;
  const start = busyMs();
  let sum = 0;
  while (busyMs() - start < ms) for (let i = 0; i < 1e6; i++) sum += Math.sqrt(i);
  return sum;
}

/** Readers by the name of the fault, which is part of the fuzzer's message. */
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
    leaked = hit(bytes) ? new Uint8Array(100 * 2 ** 20).fill(1) : undefined;
    refuse(leaked);
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
