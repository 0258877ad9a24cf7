// The parameters that TypeScript writes and AssemblyScript reads are generated from one schema, so both sides agree.
// wasm-schema.slow.test.ts moves a field, rebuilds the kernels and compares results.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const wasm = new URL("../packages/wasm/", import.meta.url);
const { readers, writers } = (await import(new URL("layout.mjs", wasm).href)) as {
  readers(): string;
  writers(): string;
};

test.each([
  ["assembly/layout.ts", readers],
  ["src/binaries/layout.ts", writers],
])("%s is what schema.mjs says now", (path, generate) => {
  expect(
    readFileSync(new URL(path, wasm), "utf8"),
    "run node build-binaries.mjs in packages/wasm: it writes the file and builds the kernels that read it",
  ).toBe(generate());
});
