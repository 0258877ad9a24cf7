// Trains the model of the lesson "Grow your own induction head" with several seeds, using the lesson's own code. Prints the
// step and the seconds at which the loss falls, the induction heads, and whether ablating them restores the high loss:
//   node apps/docs/scripts/induction-seeds.mjs [seeds, default 20] [first, default 1] [--chromium]
// In Node, or with --chromium in a worker of a new page for each seed, as on the site.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { connect } from "@qkv/page";
import { openChromium } from "../../../scripts/chromium.mjs";
import { isolation, openServer, staticFiles } from "../../../scripts/server.mjs";

const given = process.argv.slice(2);
const [count = 20, first = 1] = given.filter((word) => /^\d+$/.test(word)).map(Number);
const odd = given.find((word) => !/^\d+$/.test(word) && word !== "--chromium");
if (odd !== undefined) throw new Error(`${odd}: give numbers, or --chromium.`);
const example = readFileSync(new URL("../examples/induction-head.ts", import.meta.url), "utf8");
const limitSeconds = 90;

/** The lesson's code with `seed`, an expression, in place of its seed. */
const withSeed = (seed) =>
  stripTypeScriptTypes(example.replace("const seed = 1;", `const seed = ${seed};`), { mode: "transform" });

/** Runs the example in this process. */
async function inNode(seed) {
  // An ignored folder from which imports resolve to the packages.
  const file = new URL(`../node_modules/.induction-${process.pid}-${seed}.mjs`, import.meta.url);
  const messages = [];
  connect({ values: {}, post: (message) => messages.push(message) });
  try {
    writeFileSync(file, withSeed(seed));
    await import(file.href);
  } catch (error) {
    messages.push({ type: "text", text: String(error) });
  } finally {
    rmSync(file, { force: true });
  }
  return messages;
}

/** Serves the example as a module worker, which reads the seed from its URL, and runs it in pages. */
async function openPages() {
  const { build } = await import("esbuild");
  const folder = mkdtempSync(join(tmpdir(), "qkv-induction-"));
  const code = `
    globalThis[Symbol.for("@qkv/page/host")] = { values: {}, post: (message) => postMessage(message) };
    import("example")
      .catch((error) => postMessage({ type: "text", text: String(error) }))
      .then(() => postMessage({ type: "end" }));`;
  await build({
    stdin: { contents: code, resolveDir: fileURLToPath(new URL("..", import.meta.url)) },
    bundle: true,
    splitting: true,
    format: "esm",
    target: "es2022",
    outdir: folder,
    entryNames: "worker",
    minify: true,
    tsconfigRaw: "{}", // built packages, not sources
    logLevel: "error",
    plugins: [
      {
        name: "example",
        setup({ onResolve, onLoad }) {
          onResolve({ filter: /^example$/ }, () => ({ path: "example", namespace: "example" }));
          onLoad({ filter: /.*/, namespace: "example" }, () => ({
            contents: withSeed('Number(new URL(location.href).searchParams.get("seed"))'),
            resolveDir: fileURLToPath(new URL("..", import.meta.url)),
          }));
        },
      },
    ],
  });
  writeFileSync(join(folder, "index.html"), "<!doctype html><title>induction</title>");
  const server = await openServer(staticFiles(folder, { headers: isolation }));
  const browser = await openChromium();
  return {
    async run(seed) {
      const page = await browser.newPage();
      try {
        await page.goto(`${server.origin}/`);
        return await page.evaluate(
          (seed) =>
            new Promise((resolve, reject) => {
              const messages = [];
              const worker = new globalThis.Worker(`/worker.js?seed=${seed}`, { type: "module" });
              worker.onerror = ({ message }) => reject(new Error(message));
              worker.onmessage = ({ data }) => {
                if (data.type === "end") resolve(messages);
                else if (data.type !== "picture") messages.push(data);
              };
            }),
          seed,
        );
      } finally {
        await page.close();
      }
    },
    async close() {
      await browser.close();
      await server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const pages = given.includes("--chromium") ? await openPages() : undefined;
let inTime = 0;
try {
  for (let seed = first; seed < first + count; seed++) {
    const messages = await (pages ? pages.run(seed) : inNode(seed));
    const lines = messages.filter(({ type }) => type === "text").map(({ text }) => text);
    const checks = messages.filter(({ type }) => type === "check").map(({ holds }) => holds);
    const [, step, seconds] = /fell below 1 at step (\d+), after ([\d.]+) s/.exec(lines.join("\n")) ?? [];
    const isInTime = Number(seconds) < limitSeconds && checks.length > 0 && checks.every(Boolean);
    if (isInTime) inTime += 1;
    console.log(
      `seed ${seed}: step ${step ?? "none"}, ${seconds ?? "-"} s, checks ${checks.join(" ")}; ${(step ? lines.slice(2) : lines).join("; ")}`,
    );
  }
} finally {
  await pages?.close();
}
const place = pages ? "Chromium" : "Node";
console.log(`${inTime} of ${count} seeds in ${place} in under ${limitSeconds} s, with every check`);
