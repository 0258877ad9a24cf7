// Makes what live code needs: the real packages as modules for the page, and the output of each example as it is
// before any JavaScript runs.
import { build } from "esbuild";
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { basename, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const site = fileURLToPath(new URL("..", import.meta.url));
const live = join(site, "static/live");
const cache = join(site, ".cache");
rmSync(live, { recursive: true, force: true });
rmSync(cache, { recursive: true, force: true });
mkdirSync(join(cache, "output"), { recursive: true });

const { dependencies } = JSON.parse(readFileSync(join(site, "package.json"), "utf8"));
// Each package and each door into a part of it: `@qkv/tensor`, `@qkv/tensor/optimizers`.
const doors = (name) => {
  const { exports } = JSON.parse(readFileSync(join(site, "node_modules", name, "package.json"), "utf8"));
  return Object.keys(exports)
    .filter((door) => !/\.(json|wasm)$/.test(door))
    .map((door) => join(name, door));
};
const entries = Object.keys(dependencies)
  .flatMap(doors)
  .map((name) => ({ in: name, out: name.replace("@qkv/", "").replaceAll("/", "-") }));

// The built packages, as a user gets them, and not the sources that the type checker is pointed to.
const tsconfigRaw = "{}";

// One run with splitting, so that all packages share one copy of each module.
const { metafile } = await build({
  absWorkingDir: site,
  tsconfigRaw,
  entryPoints: [...entries, { in: "src/live/runner.ts", out: "runner" }],
  outdir: live,
  entryNames: "[name]-[hash]",
  chunkNames: "chunk-[hash]",
  bundle: true,
  splitting: true,
  format: "esm",
  target: "es2022",
  minify: true,
  // Behind a dynamic import or a door that only Node reaches.
  external: ["node:*", ...builtinModules],
  metafile: true,
  logLevel: "warning",
});

// Which file holds which package: entry points keep their name in front of the hash.
const files = Object.entries(metafile.outputs).filter(([, output]) => output.entryPoint !== undefined);
const fileOf = (name) => {
  const found = files.find(([path]) => basename(path).replace(/-[A-Z0-9]{8}\.js$/, "") === name);
  if (!found) throw new Error(`esbuild made no file for ${name}`);
  return `live/${basename(found[0])}`;
};
const modules = Object.fromEntries(entries.map((entry) => [entry.in, fileOf(entry.out)]));
writeFileSync(join(cache, "manifest.json"), JSON.stringify({ runner: fileOf("runner"), modules }, null, 2));

// Each example runs once here, with nobody at its sliders. The page shows this until its own run is done, and where
// there is no JavaScript.
const examples = readdirSync(join(site, "examples")).filter((file) => file.endsWith(".ts"));
await build({
  absWorkingDir: site,
  tsconfigRaw,
  entryPoints: examples.map((file) => `examples/${file}`),
  outdir: join(cache, "examples"),
  outExtension: { ".js": ".mjs" },
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node20",
  logLevel: "warning",
});
for (const file of examples) {
  const name = basename(file, ".ts");
  const module = relative(site, join(cache, "examples", `${name}.mjs`));
  const { status, stdout, stderr } = spawnSync(process.execPath, ["scripts/run-example.mjs", module], {
    cwd: site,
    encoding: "utf8",
    timeout: 60_000,
    maxBuffer: 64 * 2 ** 20,
  });
  if (status !== 0) throw new Error(`examples/${file} failed\n${stderr}`);
  writeFileSync(join(cache, "output", `${name}.json`), stdout);
}
console.log(`${entries.length} modules and ${examples.length} examples are ready for the page`);
