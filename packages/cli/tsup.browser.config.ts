import { copyFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { defineConfig } from "tsup";

const workerFolder = dirname(createRequire(import.meta.url).resolve("@qkv/worker"));

// Bundles for pages without a build, with all dependencies except optional peers: an entry for all names, one for the custom
// elements and one for models in workers. Shared code, and code that is imported on demand (the WebAssembly kernels, the embedded
// model), is in separate chunks.
export default defineConfig({
  // The built packages, as a user gets them: a configuration without the paths to their sources.
  entry: {
    qkv: "src/browser.ts",
    elements: "dist/subpaths/viz/elements.js",
    worker: "dist/subpaths/worker.js",
  },
  tsconfig: "tsconfig.browser.json",
  outDir: "dist/browser",
  format: "esm",
  target: "es2022",
  platform: "browser",
  noExternal: [/.*/],
  // The bundled files of the packages, without the condition `module`: a page would fetch hundreds of small chunks.
  esbuildOptions: (options) => {
    options.conditions = [];
  },
  external: ["webgpu"],
  splitting: true,
  treeshake: true,
  minify: true,
  sourcemap: false,
  clean: true,
  // `load` of the worker finds it beside itself.
  onSuccess: () => copyFile(join(workerFolder, "model-worker.js"), "dist/browser/model-worker.js"),
});
