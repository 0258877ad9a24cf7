// A thread that measures one loop when asked. In Node and in a browser.
import * as limits from "@qkv/wasm/limits";

const port = globalThis.postMessage ? globalThis : (await import("node:worker_threads")).parentPort;
let measured;
const answer = async (question) => {
  try {
    if (question === "rate") return port.postMessage({ rate: limits.perSecond(measured, 60) });
    measured = await limits[question.loop](question.argument);
    if (measured === undefined) throw new Error(`this engine has no instruction for "${question.argument}"`);
    port.postMessage({});
  } catch (error) {
    port.postMessage({ error: error.message });
  }
};
if (port === globalThis) port.onmessage = ({ data }) => answer(data);
else port.on("message", answer);
