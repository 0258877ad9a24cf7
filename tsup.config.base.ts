import { readFileSync } from "node:fs";
import { defineConfig, type Options } from "tsup";

/** ESM + CJS; `scripts/declarations.mjs` adds the types for both. `entry` lists the public modules of a package, one file each. */
export const library = (entry: string[], more: Options = {}) =>
  defineConfig({
    entry: entry.map((name) => `src/${name}.ts`),
    format: ["esm", "cjs"],
    target: "es2022",
    define: { __VERSION__: JSON.stringify(JSON.parse(readFileSync("package.json", "utf8")).version) },
    clean: true,
    splitting: true,
    treeshake: true,
    sourcemap: false,
    ...more,
  });
