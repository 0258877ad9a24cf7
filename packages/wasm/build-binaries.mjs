// Compiles the kernels for each instruction set, and writes each binary as a module, so that only the selected one is loaded.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { buildSync } from "esbuild";
import { readers, writers } from "./layout.mjs";
import { microKernels } from "./micro-kernels.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const asc = join(
  dirname(createRequire(import.meta.url).resolve("assemblyscript/package.json")),
  "bin/asc.js",
);
const common = [
  "-O3",
  "--noAssert",
  "--runtime",
  "stub",
  "--importMemory",
  "--memoryBase",
  "1024",
  // A shared memory must have a maximum. src/shared-memory-binary.ts changes this binary to import one.
  "--maximumMemory",
  "65536",
  "--enable",
  "simd",
];
const builds = { plain: [], relaxed: ["--enable", "relaxed-simd"] };

mkdirSync(join(here, "src/binaries"), { recursive: true });
writeFileSync(join(here, "assembly/micro-kernels.ts"), microKernels);
writeFileSync(join(here, "assembly/layout.ts"), readers());
writeFileSync(join(here, "src/binaries/layout.ts"), writers());
mkdirSync(join(here, ".cache"), { recursive: true });
const compile = async ([name, more]) => {
  const file = join(here, `.cache/${name}.wasm`);
  const args = [asc, join(here, "assembly/index.ts"), "-o", file, ...common, ...more];
  const [status] = await once(spawn(process.execPath, args, { stdio: "inherit" }), "close");
  if (status !== 0) process.exit(status ?? 1);
  const bytes = readFileSync(file);
  const packed = gzipSync(bytes, { level: 9 });
  const module = `// Compiled from assembly/ by build-binaries.mjs.\n/** ${bytes.length} bytes, as gzip in base64. */\nexport const binary: string = "${packed.toString("base64")}";\n`;
  writeFileSync(join(here, `src/binaries/${name}.ts`), module);
  console.log(`${name}: ${bytes.length} bytes, ${packed.length} gzipped`);
};
await Promise.all(Object.entries(builds).map(compile));

// The worker's code is bundled as a string, and as a file for pages that allow only code of their own origin.
const { outputFiles } = buildSync({
  entryPoints: [join(here, "src/threads/worker.ts")],
  bundle: true,
  minify: true,
  format: "iife",
  target: "es2022",
  write: false,
});
const source = outputFiles[0].text.trim();
writeFileSync(join(here, ".cache/worker.js"), `${source}\n`);
writeFileSync(
  join(here, "src/binaries/worker.ts"),
  `// Bundled from src/threads/worker.ts by build-binaries.mjs.\nexport const source: string = ${JSON.stringify(source)};\n`,
);
console.log(`worker: ${source.length} bytes, ${gzipSync(source).length} gzipped`);
