// Bundles the packages as modules that live code imports in pages, and the workers that run it: static/live, with a manifest of
// the files' names in .cache/manifest.json.
import { build, context } from "esbuild";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { builtinModules, createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { defaultDevice } from "../default-device.mjs";
import { cache, live, site } from "./folders.mjs";
import { replaceText } from "./replace-text.mjs";
import { fromSources } from "./sources.mjs";

const { dependencies } = JSON.parse(readFileSync(join(site, "package.json"), "utf8"));
// Entry points of packages: `@qkv/tensor`, `@qkv/tensor/optimizers`.
const doors = (name) => {
  const { exports } = JSON.parse(readFileSync(join(site, "node_modules", name, "package.json"), "utf8"));
  return Object.keys(exports)
    .filter((door) => !/\.(json|wasm|js)$/.test(door))
    .map((door) => join(name, door).replaceAll("\\", "/"));
};
const entries = Object.keys(dependencies)
  .flatMap(doors)
  .map((name) => ({ in: name, out: name.replace("@qkv/", "").replaceAll("/", "-") }));

const explorer = createRequire(import.meta.resolve("explorer"));
const hubForPages = join(dirname(explorer.resolve("@huggingface/hub")), "browser/index.mjs");

const common = {
  absWorkingDir: site,
  tsconfigRaw: "{}", // the site's own tsconfig points to sources
  bundle: true,
  splitting: true,
  format: "esm",
  target: "es2022",
  minify: true,
  external: ["node:*", ...builtinModules], // only used by dynamic imports and entry points for Node
  metafile: true,
  logLevel: "warning",
};

// One build with splitting, so that all packages share one copy of each module.
const modules = {
  ...common,
  entryPoints: [
    ...entries,
    { in: "src/live/runner.ts", out: "runner" },
    { in: "src/first/worker.ts", out: "first-page" },
    { in: "src/gpu-check/worker.ts", out: "gpu-check" },
    { in: "src/training/run.ts", out: "training" },
    { in: "src/training/gradients.ts", out: "training-gradients" },
    { in: "explorer/worker", out: "explorer-worker" },
    { in: "src/live/types-worker.ts", out: "typescript" },
  ],
  outdir: live,
  // @huggingface/hub has a browser build that its `exports` omit.
  alias: { "@huggingface/hub": hubForPages },
  logOverride: { "ignored-bare-import": "silent" }, // of packages without side effects
};

/** Names of files: with hashes for browsers' caches; without, where a server bundles again what changes. */
const hashed = { entryNames: "[name]-[hash]", chunkNames: "chunk-[hash]", assetNames: "[name]-[hash]" };

/** Third-party libraries for the page that checks a GPU, in separate files that load on demand. */
const peerNames = {
  onnxruntime: ["ONNX Runtime Web", "onnxruntime-web"],
  jax: ["jax-js", "@jax-js/jax"],
  tfjs: ["TensorFlow.js", "@tensorflow/tfjs-core"],
};
const peerModules = {
  ...common,
  entryPoints: Object.keys(peerNames).map((name) => ({ in: `src/gpu-check/peers/${name}.mjs`, out: name })),
  outdir: join(live, "peers"),
  loader: { ".wasm": "file" },
  logOverride: { "ignored-bare-import": "silent", "empty-import-meta": "silent" },
};

/**
 * Bundles the built packages, as users get them.
 *
 * @returns {Promise<number>} The number of modules.
 */
export async function bundleModules() {
  rmSync(live, { recursive: true, force: true }); // names have hashes: files of earlier builds would stay
  prepareFolders();
  const { metafile } = await build({ ...modules, ...hashed, plugins: [defaultDevice] });
  // Entry points keep their name before the hash.
  const files = Object.entries(metafile.outputs).filter(([, output]) => output.entryPoint !== undefined);
  const fileOf = (name) => {
    const found = files.find(([path]) => basename(path).replace(/-[A-Z0-9]{8}\.js$/, "") === name);
    if (!found) throw new Error(`esbuild made no file for ${name}`);
    return `live/${basename(found[0])}`;
  };
  const declarations = declarationsText();
  const hash = createHash("sha256").update(declarations).digest("hex").slice(0, 8);
  const types = `live/declarations-${hash}.json`;
  writeFileSync(join(site, "static", types), declarations);
  writeManifest(fileOf, await bundlePeers(hashed), types);
  return entries.length;
}

/**
 * Bundles the sources of the packages, and again when they change. Files of an earlier start stay: if one is missing, Rspack does
 * not use its persistent cache.
 *
 * @param {() => void} bundled - Called after each time.
 */
export async function watchModules(bundled) {
  prepareFolders();
  writeManifest((name) => `live/${name}.js`, await bundlePeers({}), "live/declarations.json");
  const reported = { name: "bundled", setup: ({ onEnd }) => onEnd(bundled) };
  const plugins = [defaultDevice, fromSources.plugin, reported];
  const bundler = await context({ ...modules, plugins, define: fromSources.define, minify: false });
  await bundler.watch();
}

function prepareFolders() {
  for (const folder of [join(live, "examples"), cache]) mkdirSync(folder, { recursive: true });
}

function writeManifest(fileOf, peers, declarations) {
  const manifest = {
    runner: fileOf("runner"),
    first: fileOf("first-page"),
    check: fileOf("gpu-check"),
    training: { run: fileOf("training"), gradients: fileOf("training-gradients") },
    explorer: fileOf("explorer-worker"),
    peers,
    types: { worker: fileOf("typescript"), declarations },
    modules: Object.fromEntries(entries.map((entry) => [entry.in, fileOf(entry.out)])),
  };
  replaceText(join(cache, "manifest.json"), JSON.stringify(manifest, null, 2));
}

async function bundlePeers(names) {
  const {
    metafile: { outputs },
  } = await build({ ...peerModules, ...names });
  /** A peer's bundled file, with all its imports. */
  const bytesWith = (path, seen = new Set()) => {
    if (seen.has(path) || !outputs[path]) return 0;
    seen.add(path);
    return outputs[path].imports.reduce((sum, one) => sum + bytesWith(one.path, seen), outputs[path].bytes);
  };
  return Object.entries(peerNames).map(([entry, [title, packageName]]) => {
    const [path] = Object.entries(outputs).find(
      ([, { entryPoint }]) => entryPoint === `src/gpu-check/peers/${entry}.mjs`,
    );
    const { version } = JSON.parse(
      readFileSync(join(site, "node_modules", packageName, "package.json"), "utf8"),
    );
    return { name: `${title} ${version}`, file: `live/peers/${basename(path)}`, bytes: bytesWith(path) };
  });
}

/** Declarations for completion in editors: the language's, and those of each built package, by path. */
export function declarationsText() {
  const declarations = {};
  const languages = join(site, "node_modules/typescript/lib");
  for (const file of readdirSync(languages)) {
    if (/^lib\.(es|decorators|webworker\.(d|iterable|asynciterable|importscripts))/.test(file))
      declarations[`/lib/${file}`] = readFileSync(join(languages, file), "utf8");
  }
  for (const name of Object.keys(dependencies)) {
    const folder = join(site, "node_modules", name);
    declarations[`/node_modules/${name}/package.json`] = readFileSync(join(folder, "package.json"), "utf8");
    for (const file of readdirSync(join(folder, "dist"), { recursive: true, encoding: "utf8" })) {
      if (!file.endsWith(".d.ts")) continue;
      const path = `/node_modules/${name}/dist/${file.replaceAll("\\", "/")}`;
      declarations[path] = readFileSync(join(folder, "dist", file), "utf8");
    }
  }
  return JSON.stringify(declarations);
}
