// @qkv/wasm as users have it: bundles without configuration, pages with a content security policy, programs that end.
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import type { Browser } from "playwright";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { casesByTier } from "../scripts/tier.mjs";
import { chromiumPath, noChromium, openChromium } from "../scripts/chromium.mjs";
import { isolation, openServer, staticFiles, type LocalServer } from "../scripts/server.mjs";

const root = fileURLToPath(new URL("../", import.meta.url));
/** Outside of the repository, whose tsconfig would redirect bundlers to the sources. */
const folder = mkdtempSync(join(tmpdir(), "qkv-wasm-"));
const program = `
import { matmul, randn } from "@qkv/tensor";
import { wasm } from "@qkv/wasm";
import { wasmFrom } from "@qkv/wasm/urls";

const query = new URLSearchParams(location.search);
const from = { plain: "/plain.wasm", relaxed: "/relaxed.wasm", worker: "/worker.js" };
let result;
try {
  const device = query.has("urls") ? await wasmFrom(from, { threads: 2 }) : await wasm({ threads: 2 });
  const x = randn([300, 300], { seed: 1 }).to(device);
  for (let i = 0; i < 20; i++) matmul(x, x);
  result = { ...device.report(), isolated: crossOriginIsolated };
} catch (error) {
  result = { error: error.message };
}
document.body.append(Object.assign(document.createElement("pre"), { textContent: JSON.stringify(result) }));
`;

/** Bundlers that build a module and its page with default settings. */
const bundlers: Record<string, (out: string) => Promise<void>> = {
  async esbuild(out) {
    const { buildSync } = await fromPackage<{ buildSync(options: object): void }>("packages/wasm", "esbuild");
    const entryPoints = [join(folder, "main.js")];
    buildSync({ entryPoints, bundle: true, splitting: true, format: "esm", outdir: out, logLevel: "error" });
    writeFileSync(join(out, "index.html"), '<script type="module" src="/main.js"></script><body></body>');
  },
  async vite(out) {
    const { build } = await fromPackage<{ build(options: object): Promise<unknown> }>(
      "node_modules/vitest",
      "vite",
    );
    await build({ root: folder, logLevel: "error", configFile: false, build: { outDir: out } });
  },
};

function fromPackage<T>(from: string, name: string): Promise<T> {
  const path = createRequire(join(realpathSync(join(root, from)), "package.json")).resolve(name);
  return import(/* @vite-ignore */ pathToFileURL(path).href) as Promise<T>;
}

const policies = {
  open: "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src blob:",
  "no kernels": "default-src 'self'; script-src 'self'",
  "own origin": "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'",
};

let server: LocalServer;
let browser: Browser;
let directory: string;
let policy: string;
let isolated = true;

beforeAll(async () => {
  for (const name of ["core", "tensor", "attention-contract", "wasm"]) {
    for (const part of ["dist", "package.json"]) {
      cpSync(join(root, "packages", name, part), join(folder, "node_modules/@qkv", name, part), {
        recursive: true,
      });
    }
  }
  const detect = "node_modules/wasm-feature-detect";
  cpSync(join(root, "packages/wasm", detect), join(folder, detect), { recursive: true, dereference: true });
  writeFileSync(join(folder, "main.js"), program);
  writeFileSync(join(folder, "index.html"), '<script type="module" src="./main.js"></script><body></body>');
  if (!chromiumPath) return;
  server = await openServer((request, response) => {
    const headers = { "Content-Security-Policy": policy, ...(isolated && isolation) };
    return staticFiles(directory, { headers })(request, response);
  });
  browser = await openChromium();
});
afterAll(async () => {
  await browser?.close();
  await server?.close();
  rmSync(folder, { recursive: true, force: true });
});

async function visit(query = ""): Promise<Record<string, unknown>> {
  const page = await browser.newPage();
  await page.goto(`${server.origin}/${query}`);
  const result = JSON.parse((await page.locator("pre").textContent())!) as Record<string, unknown>;
  await page.close();
  return result;
}

describe.each(casesByTier(Object.keys(bundlers), (name) => name === "esbuild"))(
  "bundled by %s, without configuration",
  (name) => {
    beforeAll(async () => {
      directory = join(folder, `by-${name}`);
      await bundlers[name]!(directory);
      for (const file of ["plain.wasm", "relaxed.wasm", "worker.js"]) {
        cpSync(join(root, "packages/wasm/dist", file), join(directory, file));
      }
    });

    test.runIf(chromiumPath)("a cross-origin isolated page computes on two threads", async () => {
      policy = policies.open;
      expect(await visit()).toMatchObject({
        isolated: true,
        threads: 2,
        calls: { matmul: { device: 20, plain: 0 } },
      });
    });

    test.runIf(chromiumPath)(
      "a page that is not isolated computes on one thread, and the device reports the reason",
      async () => {
        [policy, isolated] = [policies.open, false];
        const result = await visit();
        isolated = true;
        expect(result).toMatchObject({
          isolated: false,
          threads: 1,
          calls: { matmul: { device: 20, plain: 0 } },
        });
        expect(result["whySingleThreaded"]).toMatch(/^this page is not cross-origin isolated: serve it with/);
      },
    );

    test.runIf(chromiumPath)("a policy that forbids WebAssembly gives an error with the fix", async () => {
      policy = policies["no kernels"];
      expect((await visit())["error"]).toMatch(/\nFix: allow 'wasm-unsafe-eval' in the `script-src`/);
    });

    test.runIf(chromiumPath)(
      "under a policy that only allows scripts of its own origin, workers start from URLs only",
      async () => {
        policy = policies["own origin"];
        const alone = await visit();
        expect(alone).toMatchObject({ threads: 1, calls: { matmul: { device: 20, plain: 0 } } });
        expect(alone["whySingleThreaded"]).toMatch(/^a worker that did not start/);
        expect(await visit("?urls")).toMatchObject({
          threads: 2,
          calls: { matmul: { device: 20, plain: 0 } },
        });
      },
    );
  },
);

test("sizes agree with the README, and all modules together are below 110 kB gzipped", () => {
  const dist = join(root, "packages/wasm/dist");
  const sizes = (files: string[]) =>
    [(bytes: Buffer) => bytes.length, (bytes: Buffer) => gzipSync(bytes).length].map((measure) =>
      files.reduce((sum, file) => sum + measure(readFileSync(join(dist, file))), 0),
    );
  // Files of earlier builds may remain, which nothing imports.
  const modules = ["index.js", "limits.js", "urls.js"];
  for (const file of modules) {
    const code = readFileSync(join(dist, file), "utf8");
    const imported = [...code.matchAll(/(?:from|import\()\s*["']\.\/([^"']+\.js)["']/g)].map(
      ([, name]) => name!,
    );
    modules.push(...imported.filter((name, i) => !modules.includes(name) && imported.indexOf(name) === i));
  }
  const measured = [["plain.wasm"], ["relaxed.wasm"], ["worker.js"], modules].map(sizes);
  const readme = readFileSync(join(root, "packages/wasm/README.md"), "utf8");
  const documented = [...readme.matchAll(/\| ([\d.]+) kB +\| ([\d.]+) kB +\|/g)].map(([, bytes, gzip]) => [
    1000 * Number(bytes),
    1000 * Number(gzip),
  ]);
  expect(documented).toHaveLength(4);
  documented.flat().forEach((size, i) => {
    const actual = measured.flat()[i]!;
    expect(Math.abs(size - actual) / actual, `${size} documented, ${actual} measured`).toBeLessThan(0.1);
  });
  expect(measured[3]![1]).toBeLessThan(110_000);
});

if (!chromiumPath) test("bundles in a browser", ({ skip }) => skip(noChromium));

const compute = `
const x = randn([300, 300], { seed: 1 }).to(device);
for (let i = 0; i < 5; i++) matmul(x, x);
console.log(device.report().threads, matmul(x, x).shape.join());`;

test.each([
  [
    "mjs",
    `import { matmul, randn } from "@qkv/tensor"; import { wasm } from "@qkv/wasm"; const device = await wasm({ threads: 3 });${compute}`,
  ],
  [
    "cjs",
    `const { matmul, randn } = require("@qkv/tensor"); require("@qkv/wasm").wasm({ threads: 3 }).then((device) => {${compute}});`,
  ],
])("a Node program (%s) computes on threads and ends without closing anything", (type, code) => {
  const directory = mkdtempSync(join(folder, "program-"));
  const file = join(directory, `main.${type}`);
  writeFileSync(file, code);
  const { stdout, stderr, status } = spawnSync(process.execPath, [file], {
    encoding: "utf8",
    timeout: 120_000,
  });
  expect(stdout, stderr).toBe("3 300,300\n");
  expect(status).toBe(0);
});
