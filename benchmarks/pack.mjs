// npm run bench:pack: packs the WebGPU suite in a folder that runs without a network, for a machine with a GPU: ours,
// jax-js, ONNX Runtime Web, and Dawn for linux-x64. Fails above 20 MB compressed.
import { spawnSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { install } from "./install.mjs";

/** Maximum size of the compressed folder in bytes. */
const mostBytes = 20e6;
const here = fileURLToPath(new URL("./", import.meta.url));
const cache = join(here, ".cache");
const out = join(cache, "gpu-bench");

await install((line) => process.stderr.write(`${line}\n`));
rmSync(out, { recursive: true, force: true });

// Programs, with all that they import from their folder.
const added = new Set();
const addFile = (file) => {
  if (added.has(file)) return;
  added.add(file);
  const text = readFileSync(join(here, file), "utf8");
  mkdirSync(dirname(join(out, file)), { recursive: true });
  cpSync(join(here, file), join(out, file));
  for (const [, from] of text.matchAll(/from "(\.{1,2}\/[^"]+)"/g)) addFile(join(dirname(file), from));
};
for (const file of ["packed.mjs", "child.mjs", "suites/webgpu.mjs"]) addFile(file);

// Packages: only the modules that Node loads.
const modules = {
  webgpu: [/^index\.js$/, /^dist\/linux-x64\//],
  "onnxruntime-web": [
    /^dist\/ort\.webgpu\.bundle\.min\.mjs$/,
    /^dist\/ort-wasm-simd-threaded\.asyncify\.(mjs|wasm)$/,
  ],
  "@jax-js/jax": [/^dist\/.*\.js$/],
  ...Object.fromEntries(
    [
      "core",
      "tensor",
      "attention-contract",
      "attention",
      "kv-cache",
      "tokenizer",
      "transformer",
      "webgpu",
    ].map((name) => [`@qkv/${name}`, [/^dist\/.*\.js$/]]),
  ),
};
for (const [name, patterns] of Object.entries(modules)) {
  const from = realpathSync(join(here, "node_modules", name));
  for (const file of readdirSync(from, { recursive: true }).map((path) => path.replaceAll("\\", "/"))) {
    if (file !== "package.json" && !patterns.some((pattern) => pattern.test(file))) continue;
    if (!statSync(join(from, file)).isFile()) continue;
    const to = join(out, "node_modules", name, file);
    mkdirSync(dirname(to), { recursive: true });
    cpSync(join(from, file), to);
  }
}
writeFileSync(
  join(out, "package.json"),
  `${JSON.stringify({ name: "gpu-bench", private: true, type: "module" })}\n`,
);

const archive = `${out}.tar.gz`;
const { status } = spawnSync("tar", ["-czf", archive, "-C", cache, "gpu-bench"], { stdio: "inherit" });
if (status !== 0) process.exit(status ?? 1);
const { size } = statSync(archive);
console.log(
  `${archive}: ${(size / 1e6).toFixed(1)} MB. There: tar -xzf gpu-bench.tar.gz && node gpu-bench/packed.mjs`,
);
if (size > mostBytes) {
  console.error(`bench: the folder has more than ${mostBytes / 1e6} MB compressed.`);
  process.exitCode = 1;
}
