// Tests models in workers, in Chromium: pages load the built @qkv/worker, without a bundler, and a random model.
//   node scripts/worker/pages.mjs [--megabytes 215] [--limits]
//
// While a worker generates, another worker measures the latency of the page's main thread; loops are aborted while tokens
// and prompts are computed; three tabs share one model, and are closed. `--limits` checks times and memory against the
// limits below. Without it they are only printed, since times on a busy machine say nothing about the code.
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, normalize } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { openChromium } from "../chromium.mjs";
import { writeRandomCheckpoint } from "../flat/random-checkpoint.mjs";
import { openServer, staticFiles } from "../server.mjs";

/** Limits. `answer`, `abort` and `stop` in milliseconds; `secondTab` and `left` as fractions of the checkpoint's bytes. */
const limits = { answer: 16, abort: 100, stop: 100, secondTab: 0.25, left: 0.25 };

const root = fileURLToPath(new URL("../../", import.meta.url));
const { values } = parseArgs({
  options: { megabytes: { type: "string", default: "215" }, limits: { type: "boolean", default: false } },
});
const counts = { passed: 0, failed: 0 };
const report = (right, line) => {
  counts[right ? "passed" : "failed"] += 1;
  console.log(`${right ? "ok" : "failed"}: ${line}`);
};
/** Reports a measurement: checked with `--limits`, only printed without. */
const measure = (right, line) => (values.limits ? report(right, line) : console.log(`measured: ${line}`));
const megabytes = (bytes) => `${(bytes / 1e6).toFixed(0)} MB`;

const folder = mkdtempSync(join(tmpdir(), "qkv-worker-pages-"));
const { bytes: size } = writeRandomCheckpoint(folder, Number(values.megabytes) * 1e6);
console.log(
  `a random checkpoint of ${megabytes(size)} in bfloat16, ${(size / 2e6).toFixed(0)} million weights`,
);

/** Bytes of weights sent to pages. */
let sentBytes = 0;
const files = staticFiles(root);

/** Serves the checkpoint with byte ranges, as the Hugging Face Hub does, and the built packages. */
async function answer(request, response) {
  const path = new URL(request.url, "http://localhost").pathname;
  if (path === "/") {
    response.setHeader("Content-Type", "text/html");
    return response.end(readFileSync(new URL("page.html", import.meta.url)));
  }
  if (!path.startsWith("/model/")) return files(request, response);
  const file = join(folder, normalize(path.slice("/model".length)));
  const found = statSync(file, { throwIfNoEntry: false });
  if (!found) return response.writeHead(404).end();
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "") ?? [];
  const whole = readFileSync(file);
  const body =
    first === undefined ? whole : whole.subarray(Number(first), last ? Number(last) + 1 : whole.length);
  if (file.endsWith(".safetensors")) sentBytes += body.length;
  const range = first !== undefined && {
    "Content-Range": `bytes ${first}-${Number(first) + body.length - 1}/${whole.length}`,
  };
  return response
    .writeHead(range ? 206 : 200, { "Accept-Ranges": "bytes", "Content-Length": body.length, ...range })
    .end(body);
}

const server = await openServer(answer);
const browser = await openChromium({ args: ["--js-flags=--expose-gc"] });
const devtools = await browser.newBrowserCDPSession();

/** Memory of all processes of the browser in bytes. Memory pages that processes share are counted once. */
async function browserBytes() {
  const { processInfo } = await devtools.send("SystemInfo.getProcessInfo");
  let bytes = 0;
  for (const { id } of processInfo) {
    try {
      const rollup = readFileSync(`/proc/${id}/smaps_rollup`, "utf8");
      bytes += 1024 * Number(/^Pss:\s+(\d+) kB/m.exec(rollup)[1]);
    } catch {
      // It ended meanwhile, or this is no Linux.
    }
  }
  return bytes;
}

/** Memory in bytes once it no longer falls: garbage collection and the end of processes take a while. */
async function settledBytes() {
  let least = await browserBytes();
  for (let still = 0, rounds = 0; still < 6 && rounds < 60; rounds++) {
    await pause(500);
    const now = await browserBytes();
    still = now < least * 0.98 ? 0 : still + 1;
    least = Math.min(least, now);
  }
  return least;
}

const sharedWorkers = async () =>
  (await devtools.send("Target.getTargets")).targetInfos.filter(({ type }) => type === "shared_worker")
    .length;

/** Collects the garbage of shared workers: engines would wait until they need memory. */
async function collectGarbage() {
  const { targetInfos } = await devtools.send("Target.getTargets");
  for (const { type, targetId } of targetInfos) {
    if (type !== "shared_worker") continue;
    const { sessionId } = await devtools.send("Target.attachToTarget", { targetId, flatten: false });
    for (const id of [1, 2, 3]) {
      const message = JSON.stringify({ id, method: "HeapProfiler.collectGarbage" });
      await devtools.send("Target.sendMessageToTarget", { sessionId, message });
      await pause(500);
    }
  }
}

async function openTab(context) {
  const page = await context.newPage();
  page.on("pageerror", (error) => report(false, `the page: ${error.stack || error}`));
  page.on("console", (message) => console.log(`  page: ${message.text()}`));
  await page.goto(server.origin);
  await page.waitForFunction(() => globalThis.ready);
  return page;
}

/** Calls a function of page.js. */
const call = (page, name, ...args) =>
  page.evaluate(([name, args]) => globalThis[name](...args), [name, args]);

try {
  const source = `${server.origin}/model/`;
  {
    const context = await browser.newContext();
    const page = await openTab(context);
    const before = await settledBytes();
    const { milliseconds, progress } = await call(page, "loadModel", source, {});
    report(progress === size, `progress came to ${megabytes(progress)} of ${megabytes(size)}`);
    const loadedBytes = await settledBytes();
    console.log(`loaded in ${(milliseconds / 1000).toFixed(1)} s`);

    const quiet = await call(page, "mainThreadLatency", 0);
    const busy = await call(page, "mainThreadLatency", 60);
    report(busy.tokens === 60, `${busy.tokens} tokens came, ${busy.perSecond.toFixed(1)} each second`);
    for (const [name, { p50, p99, most, count }] of Object.entries({
      "nothing runs": quiet,
      "a worker generates": busy,
    })) {
      measure(
        p99 <= limits.answer,
        `the main thread answers within ${p99.toFixed(1)} ms while ${name} (99th percentile of ${count}; ` +
          `median ${p50.toFixed(1)}, longest ${most.toFixed(1)} ms; limit ${limits.answer})`,
      );
    }
    for (const { name, abort, stop, reason } of await call(page, "aborts")) {
      report(reason === "enough", `an abort ${name} ends the loop with the signal's reason`);
      measure(
        abort <= limits.abort,
        `an abort ${name} ends the loop in ${abort.toFixed(1)} ms (limit ${limits.abort})`,
      );
      const line = `the worker is free ${stop.toFixed(0)} ms after an abort ${name}`;
      if (name === "between tokens") measure(stop <= limits.stop, `${line} (limit ${limits.stop})`);
      else console.log(`measured: ${line}`);
    }
    const { name, fn, argument, isOurs } = await call(page, "wrongCall");
    report(
      isOurs && `${name} ${fn} ${argument}` === "ArgumentError generate maxTokens",
      `a wrong option is an ${name} of \`${fn}\`, \`${argument}\``,
    );
    const ended = await call(page, "killWorker");
    report(
      /DeviceError: generate: `worker`.*\nFix: `load`/.test(ended),
      "a worker that is ended rejects what is awaited",
    );
    await call(page, "dispose");
    const after = await settledBytes();
    measure(
      after - before < limits.left * size,
      `the browser holds ${megabytes(before)} before, ${megabytes(loadedBytes)} with the model, ${megabytes(after)} when it has ended`,
    );
    await context.close();
  }
  {
    const context = await browser.newContext();
    const first = await openTab(context);
    const tabs = [first, await openTab(context), await openTab(context)];
    const before = await settledBytes();
    sentBytes = 0;
    const shared = { worker: "shared" };
    await call(tabs[0], "loadModel", source, shared);
    const oneTabBytes = await settledBytes();
    await Promise.all(tabs.slice(1).map((tab) => call(tab, "loadModel", source, shared)));
    const threeTabsBytes = await settledBytes();
    report((await sharedWorkers()) === 1, "three tabs have one worker");
    report(sentBytes <= 1.01 * size, `the weights were sent once: ${megabytes(sentBytes)}`);
    measure(
      threeTabsBytes - oneTabBytes < limits.secondTab * size,
      `the browser holds ${megabytes(before)} before, ${megabytes(oneTabBytes)} with a model in oneTabBytes tab, ${megabytes(threeTabsBytes)} in threeTabsBytes`,
    );
    const texts = await Promise.all(tabs.map((tab) => call(tab, "ids", 8)));
    report(
      new Set(texts.map(String)).size === 1 && texts[0].length === 8,
      "three tabs generate at once, the same",
    );
    // Closed as a user does: the page sends no message.
    await tabs[0].close();
    await call(tabs[1], "dispose");
    report(
      (await call(tabs[2], "ids", 8)).join() === texts[0].join(),
      "a tab that stays goes on when two have left",
    );
    await call(tabs[2], "dispose");
    for (let i = 0; i < 40 && (await sharedWorkers()) > 0; i++) await pause(250);
    report((await sharedWorkers()) === 0, "when all tabs have left the model, the worker has ended");
    const freed = await settledBytes();
    measure(
      freed - before < limits.left * size,
      `when all have left the model, with two tabs open, the browser holds ${megabytes(freed)}`,
    );
    await call(tabs[1], "loadModel", source, shared);
    await tabs[1].close();
    await tabs[2].close();
    for (let i = 0; i < 40 && (await sharedWorkers()) > 0; i++) await pause(250);
    report((await sharedWorkers()) === 0, "when all tabs are closed, the worker has ended");
    const closed = await settledBytes();
    measure(
      closed - before < limits.left * size,
      `when all tabs are closed, the browser holds ${megabytes(closed)}`,
    );
    await context.close();
  }
  {
    // A closed tab sends no message: the worker notices that its lock is released. A model of the other tab keeps the
    // worker alive.
    const context = await browser.newContext();
    const [holder, other] = [await openTab(context), await openTab(context)];
    await call(other, "loadModel", source, { worker: "shared", quantize: "int4" });
    const before = await settledBytes();
    await call(holder, "loadModel", source, { worker: "shared" });
    const loadedBytes = await settledBytes();
    await holder.close();
    await collectGarbage();
    const after = await settledBytes();
    report(
      (await call(other, "ids", 4)).length === 4,
      "a tab goes on when another one, with another model, is closed",
    );
    measure(
      after - before < limits.left * size,
      `a tab that is closed frees its model in a worker that others have: ${megabytes(before)} before, ${megabytes(loadedBytes)} with it, ${megabytes(after)} after`,
    );
    await context.close();
  }
} finally {
  await browser.close();
  await server.close();
  rmSync(folder, { recursive: true });
}
console.log(`${counts.passed} passed, ${counts.failed} failed`);
process.exitCode = counts.failed === 0 ? 0 : 1;
