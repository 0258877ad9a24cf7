import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { defineConfig } from "tsup";

// The worker in one file with all that it needs: no import map reaches a worker, and it may be copied anywhere.
export default defineConfig({
  entry: { "model-worker": "src/model-worker.ts" },
  tsconfig: "tsconfig.worker.json",
  format: "esm",
  target: "es2022",
  define: { __VERSION__: JSON.stringify(JSON.parse(readFileSync("package.json", "utf8")).version) },
  platform: "browser",
  noExternal: [/.*/],
  external: ["webgpu"],
  splitting: false,
  treeshake: true,
  sourcemap: false,
  clean: false,
  // The client of the hub has a build for pages, which its `exports` do not name.
  esbuildOptions: (options) => {
    // Spaces stay, and with them the comments by which bundlers leave optional imports alone.
    Object.assign(options, { minifyIdentifiers: true, minifySyntax: true });
    options.alias = { "@huggingface/hub": resolve("node_modules/@huggingface/hub/dist/browser/index.mjs") };
  },
});
