import { copyFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { defineConfig } from "tsup";

const workerFolder = dirname(createRequire(import.meta.url).resolve("@qkv/worker"));

// The door for pages without a build, with what it needs but for what a reader installs by choice: an entry for its names, one for
// the custom elements and one for models in workers. Parts that they share, and parts that are imported when they are used (the
// kernels of WebAssembly, the small model), are chunks beside them.
export default defineConfig({
  // The built packages, as a user gets them: a configuration without the paths to their sources.
  entry: { qkv: "src/browser.ts", elements: "dist/door/viz/elements.js", worker: "dist/door/worker.js" },
  tsconfig: "tsconfig.browser.json",
  outDir: "dist/browser",
  format: "esm",
  target: "es2022",
  platform: "browser",
  noExternal: [/.*/],
  external: ["webgpu"],
  splitting: true,
  treeshake: true,
  minify: true,
  sourcemap: false,
  clean: true,
  // `load` of the worker finds it beside itself.
  onSuccess: () => copyFile(join(workerFolder, "model-worker.js"), "dist/browser/model-worker.js"),
});
