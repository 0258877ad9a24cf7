// The parameters that TypeScript writes and AssemblyScript reads are generated from one schema: moving a field there
// changes both.
import { execFileSync } from "node:child_process";
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";

const packages = fileURLToPath(new URL("../packages/", import.meta.url));
const wasmFolder = join(packages, "wasm");
const folder = mkdtempSync(join(tmpdir(), "qkv-schema-"));
const copy = join(folder, "packages/wasm");
afterAll(() => rmSync(folder, { recursive: true }));

/** The text of every file of the copy. */
function texts(): Map<string, string> {
  const files = ["assembly", "src", "schema.mjs"].flatMap((at) =>
    statSync(join(copy, at)).isDirectory()
      ? readdirSync(join(copy, at), { recursive: true }).map((file) => join(at, String(file)))
      : [at],
  );
  const all = files.filter((file) => statSync(join(copy, file)).isFile());
  return new Map(all.map((file) => [file.replaceAll("\\", "/"), readFileSync(join(copy, file), "utf8")]));
}

/**
 * Bits of attention with a bias, a softcap and sinks: forward, of one query, and backward; with the device in a
 * folder's sources.
 */
function bits(folder: string): string {
  const program = `
    import { alibi, attention, causal } from ${JSON.stringify(join(packages, "attention/dist/index.js"))};
    import { grad, randn, sum } from ${JSON.stringify(join(packages, "tensor/dist/index.js"))};
    import { wasm } from ${JSON.stringify(join(folder, "src/index.ts"))};
    const device = await wasm({ threads: 1, build: "plain" });
    const x = (T, heads, seed) => randn([2, heads, T, 8], { seed, device });
    const [key, value, sinks] = [x(70, 2, 2), x(70, 2, 3), randn([4], { seed: 4, device })];
    const options = { mask: causal(), bias: alibi(4), softcap: 5, sinks };
    const all = attention(x(70, 4, 1), key, value, options);
    const one = attention(x(1, 4, 1), key, value, { mask: causal(), sinks });
    const slope = grad((q) => sum(attention(q, key, value, options)))(x(70, 4, 1));
    const { calls } = device.report();
    const words = [all, one, slope].map(({ data }) => [...new Uint32Array(data.slice().buffer)].join(" "));
    console.log(JSON.stringify([calls.attention, calls.attentionBackward, ...words]));`;
  const { buildSync } = createRequire(join(wasmFolder, "package.json"))("esbuild") as {
    buildSync(options: object): { outputFiles: { text: string }[] };
  };
  const { outputFiles } = buildSync({
    stdin: { contents: program, resolveDir: folder },
    bundle: true,
    format: "esm",
    platform: "node",
    define: { __VERSION__: '"source"' },
    write: false,
  });
  const file = join(copy, "program.mjs");
  writeFileSync(file, outputFiles[0]!.text);
  return execFileSync(process.execPath, [file], { encoding: "utf8" });
}

test("moving a field in the schema only changes generated files, and no bit of a result", () => {
  cpSync(join(packages, "../tsconfig.base.json"), join(folder, "tsconfig.base.json"));
  const scripts = readdirSync(wasmFolder).filter((file) => file.endsWith(".mjs"));
  for (const name of ["assembly", "src", "tsconfig.json", ...scripts]) {
    cpSync(join(wasmFolder, name), join(copy, name), { recursive: true });
  }
  symlinkSync(join(wasmFolder, "node_modules"), join(copy, "node_modules"), "junction");
  const schema = readFileSync(join(copy, "schema.mjs"), "utf8");
  const moved = schema
    .replace('      heads: "i32",\n', "")
    .replace('      lse: "usize",\n', '      lse: "usize",\n      heads: "i32",\n');
  expect(moved.length).toBe(schema.length);
  const before = texts();
  writeFileSync(join(copy, "schema.mjs"), moved);
  execFileSync(process.execPath, [join(copy, "build-binaries.mjs")], { stdio: "pipe" });

  const changed = [...texts()].filter(([file, text]) => before.get(file) !== text).map(([file]) => file);
  expect(changed.sort()).toEqual([
    "assembly/layout.ts",
    "schema.mjs",
    "src/binaries/layout.ts",
    "src/binaries/plain.ts",
    "src/binaries/relaxed.ts",
  ]);
  const expected = bits(wasmFolder);
  expect(JSON.parse(expected).slice(0, 2)).toEqual([
    { device: 3, plain: 0 },
    { device: 1, plain: 0 },
  ]);
  expect(bits(copy)).toBe(expected);
});
