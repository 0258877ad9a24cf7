// Bytes that a page of a bundled program loads first, by esbuild with code splitting and without, from the built packages.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { describe, expect, test } from "vitest";
import { casesByTier } from "../scripts/tier.mjs";
import { publicPackages } from "../scripts/packages.mjs";

const folder = fileURLToPath(new URL("../packages/cli/", import.meta.url));

const measured = new Map<string, Promise<number>>();

/**
 * Gzipped bytes of the entry of a minified program that imports names from a package, and of the chunks it imports. Each
 * program is bundled once.
 */
function firstLoad(names: string, from: string, splitting: boolean): Promise<number> {
  const key = JSON.stringify([names, from, splitting]);
  if (!measured.has(key)) measured.set(key, bundleAndMeasure(names, from, splitting));
  return measured.get(key)!;
}

async function bundleAndMeasure(names: string, from: string, splitting: boolean): Promise<number> {
  const { outputFiles, metafile } = await build({
    stdin: {
      contents: `import { ${names} } from ${JSON.stringify(from)};\nconsole.log(${names});`,
      resolveDir: folder,
    },
    absWorkingDir: folder,
    ...{ bundle: true, splitting, minify: true, format: "esm", platform: "browser", target: "es2022" },
    ...{ outdir: "out", write: false, metafile: true, logLevel: "silent" },
    // The built packages, not the sources that the workspace's tsconfig.json names.
    tsconfigRaw: {},
    external: ["node:*", "webgpu", "@huggingface/hub"],
  } as const);
  const { outputs } = metafile;
  const bytes = new Map(outputFiles.map(({ path, contents }) => [path, contents]));
  const loaded = new Set<string>();
  const load = (file: string) => {
    if (loaded.has(file)) return;
    loaded.add(file);
    for (const { path, kind } of outputs[file]!.imports) if (kind === "import-statement") load(path);
  };
  load(Object.keys(outputs).find((file) => outputs[file]!.entryPoint === "<stdin>")!);
  const sizes = [...loaded].map((file) => gzipSync(bytes.get(join(folder, file))!, { level: 9 }).length);
  return sizes.reduce((sum, size) => sum + size, 0);
}

// A limit is the measured size and up to 1 % more. Raise one only with a reason in the commit.
const limits = [
  ["attention", "@qkv/attention", 21_800, 21_800],
  ["attention", "qkv", 29_750, 23_500],
  ["softmax", "qkv", 11_650, 6_900],
  ["generate", "@qkv/transformer", 44_100, 35_400],
  ["load", "@qkv/transformer", 49_500, 249_000],
  ["load, generate", "qkv", 75_800, 260_000],
  ["pipeline", "qkv", 55_500, 318_000],
  ["device", "qkv", 23_500, 177_000],
] as const;

describe.each(casesByTier(limits, ([names]) => names === "attention"))(
  "{ %s } from %s",
  (names, from, split, whole) => {
    test.each([
      ["with splitting", true, split],
      ["without splitting", false, whole],
    ])("%s loads no more bytes first than its limit", async (_, splitting, limit) => {
      const bytes = await firstLoad(names, from, splitting);
      expect(bytes).toBeLessThanOrEqual(limit);
      expect(bytes, "the limit is far above the size: lower it").toBeGreaterThan(0.97 * limit);
    });
  },
);

test("the modules for bundlers export the names of the bundled files", () => {
  const entries = publicPackages().flatMap(({ name, folder: at, json }) =>
    Object.entries<{ import?: { module?: string; default: string } }>(json["exports"]).flatMap(
      ([entry, to]) =>
        to.import?.module
          ? [
              {
                entry: name + entry.slice(1),
                files: [to.import.module, to.import.default].map(
                  (file) => pathToFileURL(join(at, file)).href,
                ),
              },
            ]
          : [],
    ),
  );
  expect(entries.length).toBeGreaterThan(30);
  const program = `
    const names = async (file) => Object.keys(await import(file)).sort().join();
    const other = [];
    for (const { entry, files } of ${JSON.stringify(entries)})
      if ((await names(files[0])) !== (await names(files[1]))) other.push(entry);
    console.log(JSON.stringify(other));`;
  const out = execFileSync(process.execPath, ["--input-type=module", "-e", program], { encoding: "utf8" });
  expect(JSON.parse(out)).toEqual([]);
});

test("the README of qkv says what an import costs", async () => {
  const readme = readFileSync(join(folder, "README.md"), "utf8");
  expect(readme).toContain("esbuild adds up to 10 %, and with `splitting` up to 10 kB");
  for (const [names, from] of [
    ["attention", "@qkv/attention"],
    ["softmax", "@qkv/tensor"],
  ] as const) {
    const [own, fromQkv] = [await firstLoad(names, from, false), await firstLoad(names, "qkv", false)];
    expect(fromQkv / own, `${names}: ${fromQkv} bytes from qkv, ${own} from ${from}`).toBeLessThan(1.1);
    const [ownSplit, split] = [await firstLoad(names, from, true), await firstLoad(names, "qkv", true)];
    expect(split - ownSplit, `${names}, with splitting`).toBeLessThan(10_000);
  }
});
