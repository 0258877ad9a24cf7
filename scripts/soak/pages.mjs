// Mounts and unmounts components of React and Vue with their models, workers and devices, in a page of Chromium:
//   node scripts/soak/pages.mjs [MINUTES]
//
// Components are unmounted in turn while the model loads, while it generates, and at the end. Workers must end, models and
// devices must be garbage-collected, the shown text must stay the same, and the second half must not use more memory than
// the first.
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";
import { openChromium } from "../chromium.mjs";
import { openServer, staticFiles } from "../server.mjs";
import { reportFlat } from "./flat.mjs";

const minutes = Number(process.argv[2] ?? 10);
if (!(minutes >= 0)) throw new RangeError(`soak: "${process.argv[2]}" is no number of minutes`);
const packages = fileURLToPath(new URL("../../packages/", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "qkv-soak-pages-"));
const total = { passed: 0, failed: 0 };
const report = (right, line) => {
  total[right ? "passed" : "failed"] += 1;
  console.log(line);
};

const bundle = await rolldown({
  input: fileURLToPath(new URL("page/page.js", import.meta.url)),
  platform: "browser",
  transform: { define: { "process.env.NODE_ENV": '"production"' } },
  resolve: {
    alias: {
      ...Object.fromEntries(
        ["model-tiny", "react", "tokenizer", "transformer", "vue", "wasm", "worker"].map((name) => [
          `@qkv/${name}`,
          `${packages}${name}/dist/index.js`,
        ]),
      ),
      "react-dom": `${packages}react/node_modules/react-dom`,
      react: `${packages}react/node_modules/react`,
      vue: `${packages}vue/node_modules/vue/dist/vue.runtime.esm-bundler.js`,
    },
  },
});
await bundle.write({ dir: folder, format: "es", entryFileNames: "page.js" });
copyFileSync(`${packages}worker/dist/model-worker.js`, join(folder, "model-worker.js"));
writeFileSync(
  join(folder, "index.html"),
  '<!doctype html><link rel="icon" href="data:," /><script type="module" src="page.js"></script>',
);

const server = await openServer(staticFiles(folder));
const browser = await openChromium();
try {
  const page = await browser.newPage();
  const problems = [];
  page.on("pageerror", (error) => problems.push(error.stack ?? String(error)));
  page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
  await page.goto(server.origin);
  await page.waitForFunction(() => globalThis.ready);
  const [frameworks, stages] = await page.evaluate(() => [globalThis.frameworks, globalThis.stages]);
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("HeapProfiler.enable");

  const shown = new Map();
  const samples = [];
  const begin = performance.now();
  const passed = () => (performance.now() - begin) / 60_000;
  let [rounds, reportedAt] = [0, 0];
  let different = "";
  do {
    for (const framework of frameworks)
      for (const stage of stages) {
        const found = String(
          await page.evaluate(([one, two]) => globalThis.comeAndGo(one, two), [framework, stage]),
        );
        if (shown.has(stage) && shown.get(stage) !== found)
          different = `round ${rounds}, ${framework}: ${found}, not ${shown.get(stage)}`;
        shown.set(stage, found);
      }
    await page.waitForFunction(() => globalThis.document.querySelectorAll("main").length === 0);
    for (let tries = 0; page.workers().length > 0 && tries < 1000; tries++) await page.waitForTimeout(10);
    for (let i = 0; i < 3; i++) {
      await devtools.send("HeapProfiler.collectGarbage");
      await page.waitForTimeout(20);
    }
    const { usedSize, backingStorageSize = 0 } = await devtools.send("Runtime.getHeapUsage");
    const { nodes, jsEventListeners } = await devtools.send("Memory.getDOMCounters");
    samples.push({ heap: usedSize + backingStorageSize, nodes, listeners: jsEventListeners });
    rounds += 1;
    if (passed() - reportedAt >= 1) {
      reportedAt = passed();
      console.error(
        `${reportedAt.toFixed(0)} minutes, ${rounds} rounds, ${(usedSize / 2 ** 20).toFixed(1)} MiB`,
      );
    }
  } while (passed() < minutes || rounds < 4);

  report(
    different === "",
    `what components show: ${different || `the same each time: ${shown.get("done")}`}`,
  );
  report(page.workers().length === 0, `${page.workers().length} workers are left`);
  const { made, held } = await page.evaluate(() => globalThis.held());
  report(held <= frameworks.length, `of ${made} models and devices that were made, ${held} are held`);
  const warm = samples.slice(Math.floor(samples.length / 4));
  reportFlat(
    warm,
    { heap: { slack: 2 }, nodes: { slack: 20, unit: 1 }, listeners: { slack: 10, unit: 1 } },
    report,
  );
  report(problems.length === 0, problems.length === 0 ? "the page had no errors" : problems.join("\n"));
  const components = rounds * frameworks.length * stages.length;
  console.log(`${passed().toFixed(1)} minutes, ${rounds} rounds, ${components} components`);
} finally {
  await browser.close();
  await server.close();
  rmSync(folder, { recursive: true });
}
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed === 0 ? 0 : 1;
