// 10,000 calls of attention on gpu:webgl2 in a page of Chromium, with and without scopes, with 1 to 64 keys. Checks that
// the number of textures, their bytes and the page's heap do not grow between the first half and the second.
//   node scripts/flat/gpu.mjs [--calls 10000]
import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { chromiumPath, noChromium, openChromium } from "../chromium.mjs";
import { openServer } from "../server.mjs";

const { values } = parseArgs({ options: { calls: { type: "string", default: "10000" } } });
const folder = fileURLToPath(new URL("../../packages/gpu/", import.meta.url));
const { build } = await import(pathToFileURL(createRequire(`${folder}package.json`).resolve("esbuild")).href);

const program = `
import { attention } from "../attention/dist/index.js";
import { randn, slice } from "../tensor/dist/index.js";
import { gpu } from "./dist/index.js";

globalThis.loop = async (calls, scoped) => {
  const device = await gpu({ mode: "webgl2", budgetBytes: 2 ** 22 });
  const x = randn([1, 4, 64, 16], { seed: 1 }).to(device);
  const highest = [0, 1].map(() => ({ textures: 0, bytes: 0, heap: 0 }));
  for (let i = 0; i < calls; i++) {
    const keys = slice(x, 2, 0, 1 + (i % 64));
    const query = slice(x, 2, 0, 1);
    const call = () => attention(query, keys, keys);
    const y = scoped ? device.scope(call) : call();
    if (i % 100 !== 0) continue;
    await y.read();
    await new Promise((resolve) => setTimeout(resolve));
    globalThis.gc?.();
    const { textures, bytes, idleBytes } = device.memory();
    const now = { textures, bytes: bytes + idleBytes, heap: performance.memory.usedJSHeapSize };
    const half = highest[i < calls / 2 ? 0 : 1];
    for (const kind in half) half[kind] = Math.max(half[kind], now[kind]);
  }
  device.close();
  return highest;
};`;

if (!chromiumPath) {
  console.log(noChromium);
  console.log("0 passed, 0 failed");
} else {
  const { outputFiles } = await build({
    stdin: { contents: program, resolveDir: folder },
    bundle: true,
    format: "esm",
    platform: "browser",
    write: false,
    tsconfigRaw: {},
    logLevel: "error",
  });
  const server = await openServer(({ url }, response) => {
    const script = url === "/loop.js";
    response.setHeader("Content-Type", script ? "text/javascript" : "text/html");
    response.end(script ? outputFiles[0].text : '<script type="module" src="/loop.js"></script>');
  });
  const browser = await openChromium({ args: ["--js-flags=--expose-gc", "--enable-precise-memory-info"] });
  let [passed, failed] = [0, 0];
  for (const scoped of [true, false]) {
    const page = await browser.newPage();
    await page.goto(`${server.origin}/`);
    await page.waitForFunction("globalThis.loop !== undefined");
    const calls = Number(values.calls);
    const [first, second] = await page.evaluate(
      ([calls, scoped]) => globalThis.loop(calls, scoped),
      [calls, scoped],
    );
    const flat =
      second.textures <= first.textures * 1.1 + 8 &&
      second.bytes <= first.bytes * 1.1 + 2 ** 20 &&
      second.heap <= first.heap * 1.1 + 4 * 2 ** 20;
    if (flat) passed += 1;
    else failed += 1;
    const describeMemory = ({ textures, bytes, heap }) =>
      `${textures} textures, ${(bytes / 2 ** 20).toFixed(1)} MiB of them, ${(heap / 2 ** 20).toFixed(1)} MiB of heap`;
    console.log(
      `${flat ? "flat" : "grows"}: ${calls} calls ${scoped ? "in scopes" : "without scopes"}: ${describeMemory(first)}; then ${describeMemory(second)}`,
    );
    await page.close();
  }
  await browser.close();
  await server.close();
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed > 0 ? 1 : 0;
}
