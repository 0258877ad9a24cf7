// Measures Chromium's memory while a page works, on Linux. Drives Chromium by the DevTools protocol directly:
// Playwright records the network, for which the renderer keeps each response in base64, 4/3 of the bytes of a model.
/* global WebSocket */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { clearInterval, setInterval } from "node:timers";
import { setTimeout as pause } from "node:timers/promises";
import { chromiumArgs, chromiumPath } from "../chromium.mjs";

/** Time for Chromium to start the processes of an empty page. Unit: milliseconds. */
const settleMs = 3000;

/**
 * Opens an address in a new Chromium process.
 *
 * @param {string} address
 * @returns `quiet`: bytes with an empty page; `most()`: peak bytes since then; `run(expression)`: the value of an expression
 *   in the page; `until(expression)`: waits until the expression is true.
 */
export async function openMeasuredPage(address) {
  const folder = mkdtempSync(join(tmpdir(), "qkv-memory-"));
  const options = [
    "--headless=new",
    "--remote-debugging-port=0",
    `--user-data-dir=${folder}`,
    "--window-size=1280,900",
  ];
  const chromium = spawn(chromiumPath, [...chromiumArgs, ...options, "about:blank"], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const socket = new WebSocket(await endpointOf(chromium));
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = () => reject(new Error("Chromium does not answer."));
  });
  const waiting = new Map();
  socket.onmessage = ({ data }) => {
    const { id, result, error } = JSON.parse(data);
    const { resolve, reject } = waiting.get(id) ?? {};
    waiting.delete(id);
    if (error) reject?.(new Error(error.message));
    else resolve?.(result);
  };
  let sent = 0;
  const send = (method, params = {}, sessionId = undefined) =>
    new Promise((resolve, reject) => {
      const id = (sent += 1);
      waiting.set(id, { resolve, reject });
      socket.send(JSON.stringify({ id, method, params, ...(sessionId && { sessionId }) }));
    });
  const bytes = async () => {
    const { processInfo } = await send("SystemInfo.getProcessInfo");
    return processInfo.reduce((sum, { id }) => sum + bytesOf(id), 0);
  };
  await pause(settleMs);
  const quiet = await bytes();
  let most = 0;
  const watching = setInterval(
    () =>
      void bytes().then(
        (now) => (most = Math.max(most, now)),
        () => undefined, // closed meanwhile
      ),
    200,
  );
  const { targetInfos } = await send("Target.getTargets");
  const { targetId } = targetInfos.find(({ type }) => type === "page");
  const { sessionId } = await send("Target.attachToTarget", { targetId, flatten: true });
  await send("Page.navigate", { url: address }, sessionId);
  const run = async (expression) => {
    const params = { expression, awaitPromise: true, returnByValue: true };
    const { result, exceptionDetails } = await send("Runtime.evaluate", params, sessionId);
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  };
  return {
    quiet,
    most: () => most,
    run,
    async until(expression, { timeoutMs = 300_000 } = {}) {
      const end = performance.now() + timeoutMs;
      while (!(await run(expression))) {
        if (performance.now() > end) throw new Error(`after ${timeoutMs} ms still not true: ${expression}`);
        await pause(100);
      }
    },
    async close() {
      clearInterval(watching);
      const ended = new Promise((resolve) => chromium.once("exit", resolve));
      socket.close();
      chromium.kill();
      await ended;
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** The address of the DevTools protocol, from Chromium's output. */
async function endpointOf(chromium) {
  let text = "";
  for await (const chunk of chromium.stderr) {
    text += chunk;
    const [, address] = /DevTools listening on (ws:\S+)/.exec(text) ?? [];
    if (address) {
      chromium.stderr.resume();
      return address;
    }
  }
  throw new Error(`Chromium ended: ${text.slice(-500)}`);
}

/** Proportional set size (PSS) of a process in bytes: 0 if it has ended. */
function bytesOf(id) {
  try {
    return 1024 * Number(/^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${id}/smaps_rollup`, "utf8"))[1]);
  } catch {
    return 0;
  }
}
