// Runs contenders in Chromium, each on a page of its own: the same suites, bundled once, served locally. Pages are only
// cross-origin isolated if threads are requested: some libraries use all threads they find.
import { build } from "esbuild";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromiumPath, noChromium, openChromium } from "../scripts/chromium.mjs";
import { isolation, openServer, staticFiles } from "../scripts/server.mjs";

const here = fileURLToPath(new URL("./", import.meta.url));
const bundles = join(here, ".cache/pages");
/** Timeout of one response in milliseconds: a slower contender has failed. */
const timeoutMs = 120_000;
// Flags against throttling: all pages except the one being timed are in the background.
const wideAwake = [
  "--disable-background-timer-throttling",
  "--disable-backgrounding-occluded-windows",
  "--disable-renderer-backgrounding",
];

export async function inPages(context, suites) {
  if (!chromiumPath) throw new Error(`bench: --browser: ${noChromium}`);
  await bundle(suites);
  const isolated = context.threads > 1;
  const server = await openServer((request, response) => serve(request, response, isolated));
  const browser = await openChromium({ args: [...wideAwake] });
  return {
    name: `Chromium ${browser.version()}`,
    versions: { chromium: browser.version() },
    async open(suite, { id }, contender) {
      const page = await browser.newPage();
      const broken = new Promise((_, reject) =>
        page.once("crash", () => reject(new Error("its page crashed"))),
      );
      broken.catch(() => {});
      await page.goto(`${server.origin}/`);
      await page.waitForFunction("globalThis.start !== undefined");
      const name = contender === "expected" ? contender : contender.name;
      const ask = async (what) => {
        const answer = page.evaluate(
          ([step, ...where]) => globalThis.start(...where).then((it) => it[step]()),
          [what, suite, id, name, context],
        );
        let timer;
        const late = new Promise((_, reject) => {
          timer = setTimeout(() => reject(new Error(`no answer in ${timeoutMs / 1000} s`)), timeoutMs);
        });
        try {
          return await Promise.race([answer, broken, late]);
        } catch (error) {
          throw new Error(error.message.replace(/^page\.evaluate: (\w*Error: )?/, ""), { cause: error });
        } finally {
          clearTimeout(timer);
        }
      };
      return {
        prepare: () => ask("prepare"),
        output: () => ask("output"),
        figure: () => ask("figure"),
        close: () => page.context().close(),
      };
    },
    async close() {
      await browser.close();
      await server.close();
    },
  };
}

async function bundle(suites) {
  const imports = suites.map((suite) => `${JSON.stringify(suite)}: () => import("./suites/${suite}.mjs")`);
  const page = `
    import { rowsOf } from "./rows-of.mjs";
    import { runnerOf } from "./runner.mjs";
    const suites = { ${imports.join(", ")} };
    let running;
    globalThis.start = (suite, id, name, context) => (running ??= open(suite, id, name, context));
    async function open(suite, id, name, context) {
      const row = rowsOf(await suites[suite](), context).find((each) => each.id === id);
      const runner = runnerOf(row, name, context);
      const output = async () => { const values = await runner.output(); return values && Array.from(values); };
      return { ...runner, output };
    }`;
  const options = {
    bundle: true,
    format: "esm",
    platform: "browser",
    outdir: bundles,
    splitting: true,
    logLevel: "error",
    absWorkingDir: here,
    // Node's modules, in branches that pages do not reach.
    external: [
      ...["node:*", "onnxruntime-node", "onnxruntime-web", "node-llama-cpp", "tokenizers", "usearch"],
      "@huggingface/transformers",
    ],
  };
  await build({ ...options, stdin: { contents: page, resolveDir: here, sourcefile: "page.js" } });
  await build({ ...options, entryPoints: ["peers/limit-worker.mjs"], entryNames: "[name]" });
}

/** Serves the page, its bundle and files that peers load from their packages. */
function serve(request, response, isolated) {
  const headers = isolated ? isolation : {};
  if (request.url === "/") {
    response.writeHead(200, { ...headers, "Content-Type": "text/html" });
    return response.end('<!doctype html><title>bench</title><script type="module" src="/stdin.js"></script>');
  }
  const folder = request.url.startsWith("/node_modules/") ? here : bundles;
  return staticFiles(folder, { headers })(request, response);
}
