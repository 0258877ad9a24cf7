// Runs the examples in Node, and the pages' parts that are computed before any JavaScript runs. Results are kept in
// .cache/store by a hash of the bundled code, which contains what an example imports and the data it reads, so that a build, a
// server and the next ones compute each once.
import { context } from "esbuild";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { basename, join, relative } from "node:path";
import { defaultDevice } from "../default-device.mjs";
import { cache, site } from "./folders.mjs";
import { fromSources } from "./sources.mjs";

const store = join(cache, "store");
const outdir = join(cache, "examples");
const textOf = (name) => readFileSync(join(site, "examples", `${name}.ts`), "utf8");

/** The names of the files in examples/. */
export const exampleNames = () =>
  readdirSync(join(site, "examples"))
    .filter((file) => file.endsWith(".ts"))
    .map((file) => basename(file, ".ts"));

/**
 * Bundles the sources of the packages with the examples.
 *
 * @returns {Promise<{ runExample(name: string): Promise<{ code: string, output: object[], unfit: object }>,
 *   prerender(name: "first-page" | "figures"): Promise<string>, refresh(): Promise<void>, end(): Promise<void> }>}
 */
export async function openExamples() {
  rmSync(outdir, { recursive: true, force: true });
  mkdirSync(store, { recursive: true });
  const bundler = await context({
    absWorkingDir: site,
    tsconfigRaw: "{}", // the site's own tsconfig points to sources in its own way
    plugins: [defaultDevice, fromSources.plugin],
    define: fromSources.define,
    entryPoints: [
      ...exampleNames().map((name) => ({ in: `examples/${name}.ts`, out: name })),
      { in: "src/live/unfit-devices.ts", out: "unfit-devices" },
      { in: "src/first/prerender.ts", out: "first-page" },
      { in: "src/figures/prerender.ts", out: "figures" },
    ],
    outdir,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20",
    metafile: true,
    logLevel: "warning",
    logOverride: { "ignored-bare-import": "silent" }, // of packages without side effects
  });
  let outputs;
  const refresh = async () => void ({ outputs } = (await bundler.rebuild()).metafile);
  await refresh();

  const bundleOf = (name) => relative(site, join(outdir, `${name}.mjs`)).replaceAll("\\", "/");
  /** Of the bundled files, with the chunks that they import, and of the version of Node, whose functions round. */
  const hashOf = (...names) => {
    const seen = new Set();
    const add = (path) => {
      if (seen.has(path) || !outputs[path]) return;
      seen.add(path);
      for (const imported of outputs[path].imports) add(imported.path);
    };
    names.forEach((name) => add(bundleOf(name)));
    const hash = createHash("sha256").update(process.versions.node);
    for (const path of [...seen].sort()) hash.update(path).update(readFileSync(join(site, path)));
    return hash;
  };
  const running = new Map();
  /** The kept result of a key, or a computed one; a key that is asked for again meanwhile is computed once. */
  const kept = (hash, script, args) => {
    const key = hash.digest("hex").slice(0, 32);
    const file = join(store, key);
    if (existsSync(file)) return Promise.resolve(readFileSync(file, "utf8"));
    const computed =
      running.get(key) ??
      turn(() => inNode(script, args)).then((text) => {
        writeFileSync(`${file}.new`, text);
        renameSync(`${file}.new`, file);
        return text;
      });
    running.set(key, computed);
    return computed.finally(() => running.delete(key));
  };
  return {
    /** Its text, its messages with its controls at their initial values, and devices that it cannot run on. */
    async runExample(name) {
      const code = textOf(name);
      const devices = bundleOf("unfit-devices");
      const text = await kept(hashOf(name, "unfit-devices").update(code), "scripts/run-example.mjs", [
        bundleOf(name),
        `examples/${name}.ts`,
        devices,
      ]);
      return { code, ...JSON.parse(text) };
    },
    /** The standard output of a script. */
    prerender: (name) => kept(hashOf(name), bundleOf(name), []),
    refresh,
    end: () => bundler.dispose(),
  };
}

// As many processes as the machine has cores; others wait for their turn.
let free = availableParallelism();
const waiting = [];
async function turn(work) {
  if (free > 0) free -= 1;
  else await new Promise((resolve) => waiting.push(resolve));
  try {
    return await work();
  } finally {
    const next = waiting.shift();
    if (next) next();
    else free += 1;
  }
}

function inNode(script, args) {
  const child = spawn(process.execPath, [script, ...args], { cwd: site, timeout: 900_000 }); // generous, for busy machines
  let [output, errors] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text) => (output += text));
  child.stderr.setEncoding("utf8").on("data", (text) => (errors += text));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (status, signal) => {
      if (status === 0) resolve(output);
      else reject(new Error(`${[script, ...args].join(" ")} failed (${status ?? signal})\n${errors}`));
    });
  });
}
