// Writes the declarations of the package in the current folder, as the second half of its build: the compiler emits one file
// for each source, and these are bundled into one for each entry point of package.json, as ESM (.d.ts) and CommonJS (.d.cts).
// Types are not checked here: `tsc -b` does that once for all packages.
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { rolldown } from "rolldown";
import { dts } from "rolldown-plugin-dts";

const folder = process.cwd();
const emitted = join(folder, ".cache/declarations");
const config = join(folder, ".cache/tsconfig.declarations.json");
rmSync(emitted, { recursive: true, force: true });
mkdirSync(emitted, { recursive: true });
writeFileSync(
  config,
  JSON.stringify({
    extends: "../tsconfig.json",
    compilerOptions: {
      ...{ composite: false, incremental: false, tsBuildInfoFile: null, noCheck: true, declaration: true },
      // Other packages are what a user gets of them: their built declarations.
      ...{ paths: {}, rootDir: "../src", outDir: "declarations" },
    },
    include: ["../src"],
    exclude: ["../src/**/*.test.ts", "../src/**/*.test.tsx"],
    references: [],
  }),
);
// TypeScript 7 is a native program. The package `typescript` is version 6, whose API the linter and the reports use.
const compiler = join(
  dirname(createRequire(import.meta.url).resolve("typescript-native/package.json")),
  "bin/tsc",
);
const { status } = spawnSync(process.execPath, [compiler, "-p", config], { stdio: "inherit" });
if (status !== 0) process.exit(status ?? 1);

const { exports } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
const files = Object.values(exports)
  .map((entry) => entry.import?.types)
  .filter(Boolean);
const input = Object.fromEntries(
  files.map((file) => {
    const name = relative("dist", file).replace(/\.d\.ts$/, "");
    return [name, join(emitted, `${name}.d.ts`)];
  }),
);
const bundle = await rolldown({
  input,
  external: (name) => !/^[./]/.test(name),
  plugins: [dts({ dtsOnly: true, tsconfig: false })],
});
const { output } = await bundle.generate({
  format: "es",
  entryFileNames: "[name].d.ts",
  chunkFileNames: "[name]-[hash].d.ts",
});
await bundle.close();

/** The text with one name for a type that the bundle imports twice, `Mask` and `Mask as Mask$1`: editors show this name. */
function withOneName(text) {
  const twice = [...text.matchAll(/\b(\w+), \1 as (\1\$\d+)\b/g)];
  return twice.reduce(
    (result, [both, name, alias]) => result.replace(both, name).replaceAll(alias, name),
    text,
  );
}
/** Programs whose `lib` is older than these symbols need the library that declares them. */
const withDisposal = (text) =>
  /\bSymbol\.(async)?[dD]ispose\b/.test(text) ? `/// <reference lib="esnext.disposable" />\n${text}` : text;
for (const { fileName, code } of output) {
  const text = withDisposal(withOneName(code));
  const file = join(folder, "dist", fileName);
  mkdirSync(join(file, ".."), { recursive: true });
  writeFileSync(file, text);
  const relativeImport = /(\b(?:from|import|import\() ?"\.{1,2}\/[^"]*)\.js"/g;
  writeFileSync(file.replace(/\.d\.ts$/, ".d.cts"), text.replace(relativeImport, '$1.cjs"'));
}
