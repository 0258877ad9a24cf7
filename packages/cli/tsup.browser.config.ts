import { defineConfig } from "tsup";

// The door in one file for pages without a build, with what it needs but for what a reader installs by choice. Parts that are
// imported when they are used (the kernels of WebAssembly, the small model) lie beside it.
export default defineConfig({
  // The built packages, as a user gets them: a configuration without the paths to their sources.
  entry: { qkv: "dist/index.js" },
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
});
