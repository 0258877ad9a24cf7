// @qkv/gpu as users have it: minified bundles that compute, on pages and in workers, under a content security policy;
// and imports that work without gpu.js.
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Browser } from "playwright";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { chromiumPath, noChromium, openChromium } from "../scripts/chromium.mjs";
import { openServer, type LocalServer } from "../scripts/server.mjs";

const root = fileURLToPath(new URL("../", import.meta.url));
const folder = join(root, "packages/gpu");
const load = <T>(name: string): Promise<T> =>
  import(
    /* @vite-ignore */ pathToFileURL(createRequire(join(folder, "package.json")).resolve(name)).href
  ) as Promise<T>;

/** Runs on a page, and in a worker that the page starts from the same file. */
const program = `
import { layerNorm, linear, randn, softmax, take, tensor } from "@qkv/tensor";
import { gpu } from "./dist/index.js";

async function compute() {
  try {
    const device = await gpu({ mode: "webgl2" });
    const [x, rows] = [randn([12, 9], { seed: 1 }), randn([20, 9], { seed: 2 })];
    const ids = tensor([3, 1, 19], { dtype: "int32" });
    const f = (x, rows, ids) => softmax(linear(layerNorm(x), take(rows, 0, ids)));
    const ours = await f(x.to(device), rows.to(device), ids.to(device)).read();
    const right = f(x, rows, ids).data;
    const { mode, calls } = device.report();
    const plain = Object.values(calls).reduce((sum, each) => sum + each.plain, 0);
    return { mode, plain, worst: Math.max(...right.map((y, i) => Math.abs(y - ours[i]))) };
  } catch (error) {
    return { error: String(error.message) };
  }
}
if (typeof document === "undefined") compute().then((result) => postMessage(result));
else {
  const worker = new Worker(new URL("/program.js", location.href), { type: "module" });
  const inWorker = new Promise((resolve) => (worker.onmessage = ({ data }) => resolve(data)));
  globalThis.results = Promise.all([compute(), inWorker]);
}`;

/**
 * Generates with the small model on a device of the page and on the plain device; then loses the context after some
 * tokens.
 */
const writing = `
import { modelTiny } from "@qkv/model-tiny";
import { generate, load } from "@qkv/transformer";
import { gpu } from "../gpu/dist/index.js";

const prompt = "Once upon a time";
async function write(model, maxTokens, onToken = () => {}) {
  const ids = [];
  for await (const { id } of generate(model, prompt, { maxTokens, sampling: { temperature: 0 }, stop: [] })) {
    ids.push(id);
    onToken(ids.length);
  }
  return ids;
}
async function compute() {
  const files = await modelTiny();
  const contexts = [];
  const { getContext } = OffscreenCanvas.prototype;
  OffscreenCanvas.prototype.getContext = function (...args) {
    const context = getContext.apply(this, args);
    contexts.push(context);
    return context;
  };
  const device = await gpu({ mode: "webgl2" });
  const model = await load(files, { device });
  const ours = await write(model, 32);
  const right = await write(await load(files), 32);
  const lose = () => contexts.at(-1).getExtension("WEBGL_lose_context").loseContext();
  const ended = await write(model, 32, (count) => count === 5 && lose()).catch(({ name, message }) => ({ name, message }));
  return { ours, right, ended, calls: device.report().calls };
}
globalThis.results = compute();
`;

/** Compares attention with the plain device, for random shapes, masks and options. */
const attending = `
import { alibi, and, causal, padding, slidingWindow, tracedAttention } from "@qkv/attention";
import { randn, tensor } from "@qkv/tensor";
import { gpu } from "../gpu/dist/index.js";

const names = ["dots", "capped", "scores", "weights", "lse"];
async function compute(runs) {
  const device = await gpu({ mode: "webgl2" });
  let state = 1;
  const random = (n) => ((state = (state * 1103515245 + 12345) % 2 ** 31) >>> 8) % n;
  const oneOf = (...list) => list[random(list.length)];
  const wrong = [];
  for (let run = 0; run < runs; run++) {
    const [B, Hkv, group, T] = [oneOf(1, 2), oneOf(1, 2, 3), oneOf(1, 2, 4), oneOf(1, 2, 3, 5, 8, 66)];
    const [S, D, Dv, mask, extras] = [T + oneOf(0, 1, 3, 70), oneOf(1, 3, 8, 20), oneOf(1, 6, 8), random(5), random(3)];
    const [H, seed] = [Hkv * group, random(1e6)];
    const key = randn([B, Hkv, S, D], { seed: seed + 1 });
    const value = randn([B, Hkv, S, Dv], { seed: seed + 2 });
    // Only the last query sees the last key.
    if (mask === 1 && S > 1) value.data.fill(NaN, (B * Hkv * S - 1) * Dv);
    const inputs = [randn([B, H, T, D], { seed }), key, value, tensor(Array.from({ length: H }, (_, h) => h - 1))];
    const masks = [
      undefined,
      causal(),
      slidingWindow(1 + (seed % 9)),
      and(causal(), padding(Array.from({ length: B }, (_, b) => (seed + 7 * b) % (S + 1)))),
      padding(new Array(B).fill(0)),
    ];
    const options = (sinks) => ({
      ...(masks[mask] && { mask: masks[mask] }),
      softcap: extras === 1 ? 2 : 0,
      ...(extras > 0 && { sinks, bias: alibi(H) }),
      ...(extras > 1 && { weightMod: (weight, at) => weight.mul(at.key.add(1)).where(weight.mul(2), weight) }),
    });
    const traces = run % 3 ? names : [];
    const attend = (q, k, v, sinks) => tracedAttention(q, k, v, options(sinks), traces);
    const right = attend(...inputs);
    const ours = attend(...inputs.map((x) => x.to(device)));
    for (const name of ["output", ...traces]) {
      const numbers = await ours[name].read();
      const at = right[name].data.findIndex((x, i) => !Object.is(x, numbers[i]) && !(Math.abs(x - numbers[i]) < 1e-4));
      if (at >= 0) wrong.push({ name, at, ours: numbers[at], right: right[name].data[at], run, B, Hkv, group, T, S, D, Dv, mask, extras });
    }
  }
  return { wrong, calls: device.report().calls.attention };
}
globalThis.results = compute(24);
`;

type Build = (options: object) => Promise<{ outputFiles: { text: string }[] }>;

const minifiers: Record<string, () => Promise<string>> = {
  esbuild: () => bundled(true),
  async terser() {
    const { minify } = await load<{ minify(text: string, options: object): Promise<{ code: string }> }>(
      "terser",
    );
    const settings = { module: true, mangle: { toplevel: true }, compress: { passes: 2, unsafe_math: true } };
    return (await minify(await bundled(false), settings)).code;
  },
};

async function bundled(minify: boolean, contents = program, resolveDir = folder): Promise<string> {
  const { build } = await load<{ build: Build }>("esbuild");
  const { outputFiles } = await build({
    stdin: { contents, resolveDir },
    bundle: true,
    minify,
    format: "esm",
    platform: "browser",
    write: false,
    tsconfigRaw: {},
    logLevel: "error",
  });
  return outputFiles[0]!.text;
}

describe("bundles in Chromium", () => {
  let server: LocalServer;
  let browser: Browser;
  let script = "";
  beforeAll(async () => {
    if (!chromiumPath) return;
    server = await openServer(({ url }, response) => {
      const isScript = url === "/program.js";
      response.setHeader("Content-Security-Policy", "default-src 'self'; script-src 'self'");
      response.setHeader("Content-Type", isScript ? "text/javascript" : "text/html");
      response.end(isScript ? script : '<script type="module" src="/program.js"></script>');
    });
    browser = await openChromium();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  test.runIf(chromiumPath).each(Object.keys(minifiers))(
    "minified by %s, under a policy without eval, on the page and in a worker",
    async (name) => {
      script = await minifiers[name]!();
      const page = await browser.newPage();
      await page.goto(`${server.origin}/`);
      await page.waitForFunction("globalThis.results !== undefined");
      const results = (await page.evaluate("globalThis.results")) as Record<string, unknown>[];
      await page.close();
      for (const result of results) {
        expect(result).toMatchObject({ mode: "webgl2", plain: 0 });
        expect(result["worst"]).toBeLessThan(1e-5);
      }
    },
  );

  test.runIf(chromiumPath)(
    "the small model generates the same tokens as on the plain device; a lost context gives a DeviceError with a fix",
    async () => {
      script = await bundled(true, writing, join(root, "packages/cli"));
      const page = await browser.newPage();
      await page.goto(`${server.origin}/`);
      await page.waitForFunction("globalThis.results !== undefined");
      const { ours, right, ended, calls } = (await page.evaluate("globalThis.results")) as {
        ours: number[];
        right: number[];
        ended: { name: string; message: string };
        calls: Record<string, { device: number; plain: number }>;
      };
      await page.close();
      expect(ours).toHaveLength(32);
      expect(ours).toEqual(right);
      expect(ended.name).toBe("DeviceError");
      expect(ended.message).toMatch(/the WebGL context was lost[^]*Fix: make a new device/);
      for (const op of ["attention", "matmul", "rmsNorm", "rotate", "take", "write"])
        expect(calls[op], op).toMatchObject({ plain: 0 });
    },
  );

  test.runIf(chromiumPath)("attention equals that of the plain device", async () => {
    script = await bundled(true, attending, join(root, "packages/transformer"));
    const page = await browser.newPage();
    await page.goto(`${server.origin}/`);
    await page.waitForFunction("globalThis.results !== undefined");
    const results = await page.evaluate("globalThis.results");
    await page.close();
    expect(results).toEqual({ wrong: [], calls: { device: 24, plain: 0 } });
  });

  if (!chromiumPath) test("left out", ({ skip }) => skip(noChromium));
});

describe("without gpu.js", () => {
  const alone = mkdtempSync(join(tmpdir(), "qkv-gpu-"));
  beforeAll(() => {
    for (const name of ["core", "tensor", "attention-contract", "gpu"]) {
      for (const part of ["dist", "package.json"]) {
        const to = join(alone, "node_modules/@qkv", name, part);
        cpSync(join(root, "packages", name, part), to, { recursive: true });
      }
    }
  });
  afterAll(() => rmSync(alone, { recursive: true }));
  const run = (type: string, text: string) => {
    const { stdout, stderr } = spawnSync(process.execPath, [`--input-type=${type}`, "-e", text], {
      cwd: alone,
      encoding: "utf8",
      env: { ...process.env, NODE_PATH: "" },
    });
    return `${stdout}${stderr}`;
  };
  const refused = "DeviceError npm install";
  const tell = `gpu().catch((error) => console.log(error.name, /npm install/.exec(error.message)[0]))`;

  test("importing works, and creating a device names the package to install", () => {
    expect(run("module", `import { gpu } from "@qkv/gpu"; ${tell}`).trim()).toBe(refused);
    expect(run("commonjs", `const { gpu } = require("@qkv/gpu"); ${tell}`).trim()).toBe(refused);
  });
});
