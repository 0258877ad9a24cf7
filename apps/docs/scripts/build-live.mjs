// Builds the files of live code: the packages as modules for pages, and the initial output of each example, which pages
// show before any JavaScript runs.
import { build } from "esbuild";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { builtinModules, createRequire } from "node:module";
import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { defaultDevice } from "./default-device.mjs";
import { pages } from "./pages.mjs";

const site = fileURLToPath(new URL("..", import.meta.url));
const live = join(site, "static/live");
const cache = join(site, ".cache");
rmSync(live, { recursive: true, force: true });
rmSync(cache, { recursive: true, force: true });
mkdirSync(join(cache, "output"), { recursive: true });
mkdirSync(join(cache, "unfit"), { recursive: true });
mkdirSync(join(live, "examples"), { recursive: true });

const { dependencies } = JSON.parse(readFileSync(join(site, "package.json"), "utf8"));
// Entry points of packages: `@qkv/tensor`, `@qkv/tensor/optimizers`.
const doors = (name) => {
  const { exports } = JSON.parse(readFileSync(join(site, "node_modules", name, "package.json"), "utf8"));
  return Object.keys(exports)
    .filter((door) => !/\.(json|wasm)$/.test(door))
    .map((door) => join(name, door));
};
const entries = Object.keys(dependencies)
  .flatMap(doors)
  .map((name) => ({ in: name, out: name.replace("@qkv/", "").replaceAll("/", "-") }));

// Bundles the built packages, as users get them, not the sources that tsconfig points to.
const tsconfigRaw = "{}";

const explorer = createRequire(import.meta.resolve("explorer"));
const hubForPages = join(dirname(explorer.resolve("@huggingface/hub")), "browser/index.mjs");

// One build with splitting, so that all packages share one copy of each module.
const { metafile } = await build({
  absWorkingDir: site,
  tsconfigRaw,
  plugins: [defaultDevice],
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
  entryNames: "[name]-[hash]",
  chunkNames: "chunk-[hash]",
  bundle: true,
  splitting: true,
  format: "esm",
  target: "es2022",
  minify: true,
  // @huggingface/hub has a browser build that its `exports` omit.
  alias: { "@huggingface/hub": hubForPages },
  // Only used by dynamic imports and entry points for Node.
  external: ["node:*", ...builtinModules],
  metafile: true,
  logLevel: "warning",
  logOverride: { "ignored-bare-import": "silent" }, // of packages without side effects
});

// Output files by package: entry points keep their name before the hash.
const files = Object.entries(metafile.outputs).filter(([, output]) => output.entryPoint !== undefined);
const fileOf = (name) => {
  const found = files.find(([path]) => basename(path).replace(/-[A-Z0-9]{8}\.js$/, "") === name);
  if (!found) throw new Error(`esbuild made no file for ${name}`);
  return `live/${basename(found[0])}`;
};
const modules = Object.fromEntries(entries.map((entry) => [entry.in, fileOf(entry.out)]));

// Third-party libraries for the page that checks a GPU, in separate files that load on demand.
const peerNames = {
  onnxruntime: ["ONNX Runtime Web", "onnxruntime-web"],
  jax: ["jax-js", "@jax-js/jax"],
  tfjs: ["TensorFlow.js", "@tensorflow/tfjs-core"],
};
const built = await build({
  absWorkingDir: site,
  tsconfigRaw,
  entryPoints: Object.keys(peerNames).map((name) => ({ in: `src/gpu-check/peers/${name}.mjs`, out: name })),
  outdir: join(live, "peers"),
  entryNames: "[name]-[hash]",
  chunkNames: "chunk-[hash]",
  assetNames: "[name]-[hash]",
  bundle: true,
  splitting: true,
  format: "esm",
  target: "es2022",
  minify: true,
  loader: { ".wasm": "file" },
  external: ["node:*", ...builtinModules],
  metafile: true,
  logLevel: "warning",
  logOverride: { "ignored-bare-import": "silent", "empty-import-meta": "silent" },
});
const { outputs } = built.metafile;
/** A peer's bundled file, with all its imports. */
const bytesWith = (path, seen = new Set()) => {
  if (seen.has(path) || !outputs[path]) return 0;
  seen.add(path);
  return outputs[path].imports.reduce((sum, one) => sum + bytesWith(one.path, seen), outputs[path].bytes);
};
const peers = Object.entries(peerNames).map(([entry, [title, packageName]]) => {
  const [path] = Object.entries(outputs).find(
    ([, { entryPoint }]) => entryPoint === `src/gpu-check/peers/${entry}.mjs`,
  );
  const { version } = JSON.parse(
    readFileSync(join(site, "node_modules", packageName, "package.json"), "utf8"),
  );
  return { name: `${title} ${version}`, file: `live/peers/${basename(path)}`, bytes: bytesWith(path) };
});

// The declarations for completion in editors: the language's, and those of each package, by path.
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
const declarationsText = JSON.stringify(declarations);
const declarationsFile = `live/declarations-${createHash("sha256").update(declarationsText).digest("hex").slice(0, 8)}.json`;
writeFileSync(join(site, "static", declarationsFile), declarationsText);

const titles = Object.fromEntries(pages().map(({ path, title }) => [path, title]));
writeFileSync(join(cache, "pages.json"), JSON.stringify(titles));

const manifest = {
  runner: fileOf("runner"),
  first: fileOf("first-page"),
  check: fileOf("gpu-check"),
  training: { run: fileOf("training"), gradients: fileOf("training-gradients") },
  explorer: fileOf("explorer-worker"),
  peers,
  types: { worker: fileOf("typescript"), declarations: declarationsFile },
  modules,
};
writeFileSync(join(cache, "manifest.json"), JSON.stringify(manifest, null, 2));

// Runs each example once with its controls at their initial values. Pages show this output until their own run ends,
// and without JavaScript.
const examples = readdirSync(join(site, "examples")).filter((file) => file.endsWith(".ts"));
await build({
  absWorkingDir: site,
  tsconfigRaw,
  plugins: [defaultDevice],
  entryPoints: [
    ...examples.map((file) => ({ in: `examples/${file}`, out: basename(file, ".ts") })),
    { in: "src/live/unfit-devices.ts", out: "unfit-devices" },
    { in: "src/first/prerender.ts", out: "first-page" },
    { in: "src/figures/prerender.ts", out: "figures" },
  ],
  outdir: join(cache, "examples"),
  outExtension: { ".js": ".mjs" },
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node20",
  logLevel: "warning",
  logOverride: { "ignored-bare-import": "silent" }, // of packages without side effects
});
const inNode = (script, ...args) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], {
    cwd: site,
    encoding: "utf8",
    timeout: 600_000, // generous, for busy machines
    maxBuffer: 64 * 2 ** 20,
  });
  if (status !== 0) throw new Error(`${[script, ...args].join(" ")} failed\n${stderr}`);
  return stdout;
};
const devices = relative(site, join(cache, "examples", "unfit-devices.mjs"));
for (const file of examples) {
  const name = basename(file, ".ts");
  const module = relative(site, join(cache, "examples", `${name}.mjs`));
  const { output, unfit } = JSON.parse(
    inNode("scripts/run-example.mjs", module, `examples/${file}`, devices),
  );
  writeFileSync(join(cache, "output", `${name}.json`), JSON.stringify(output));
  writeFileSync(join(cache, "unfit", `${name}.json`), JSON.stringify(unfit));
  // For /embed/, which can show any example.
  const code = readFileSync(join(site, "examples", file), "utf8");
  writeFileSync(join(live, "examples", `${name}.json`), JSON.stringify({ code, output, unfit }));
}
writeFileSync(join(cache, "first-look.json"), inNode(join(cache, "examples", "first-page.mjs")));
// The static picture of each figure: files for pages, and their sizes and texts.
mkdirSync(join(live, "figures"), { recursive: true });
const { stills, models } = JSON.parse(inNode(join(cache, "examples", "figures.mjs")));
for (const [name, { wide, narrow, ...words }] of Object.entries(stills)) {
  writeFileSync(join(live, "figures", `${name}-wide.svg`), wide);
  writeFileSync(join(live, "figures", `${name}-narrow.svg`), narrow);
  stills[name] = words;
}
writeFileSync(join(cache, "figures.json"), JSON.stringify(stills));
for (const [name, model] of Object.entries(models))
  writeFileSync(join(cache, `${name}-model.json`), JSON.stringify(model));
console.log(`${entries.length} modules and ${examples.length} examples are ready for the page`);
