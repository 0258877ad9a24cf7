// A thread that measures loops, in Node and in a browser: `{ loops }` creates them, `{ rate }` requests the rate of
// one.
import * as limits from "@qkv/wasm/limits";

const port = globalThis.postMessage ? globalThis : (await import("node:worker_threads")).parentPort;
let measured;
const open = async ([name, ...given]) => {
  const loop = await limits[name](...given);
  if (loop === undefined) throw new Error(`this engine has no instruction for "${given[0]}"`);
  return loop;
};
const answer = async ({ loops, rate }) => {
  try {
    if (rate !== undefined) return port.postMessage({ rate: limits.perSecond(measured[rate], 60) });
    measured = await Promise.all(loops.map(open));
    port.postMessage({});
  } catch (error) {
    port.postMessage({ error: error.message });
  }
};
if (port === globalThis) port.onmessage = ({ data }) => answer(data);
else port.on("message", answer);
