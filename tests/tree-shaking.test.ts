// Tree shaking of the built packages: importing one name bundles only what its source file needs, importing for side
// effects bundles nothing, and imports have no side effects.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { rolldown } from "rolldown";
import { describe, expect, test } from "vitest";
import { catalogue } from "../packages/attention/dist/catalogue.js";
import { publicPackages } from "../scripts/packages.mjs";
import { casesByTier } from "../scripts/tier.mjs";

const libraries = publicPackages().filter(({ json }) => !json.bin);
const tested = casesByTier(libraries, ({ name }) => name === "@qkv/core");

/**
 * A module of a package after tree shaking, minified: the chunk of the module, and those that it imports. Others are loaded when a
 * call needs them. Other packages and Node's modules are external.
 */
async function bundled(folder: string, code: string): Promise<string> {
  const chunks = new Map(
    (await chunksOf(folder, code)).flatMap((chunk) =>
      chunk.type === "chunk" ? [[chunk.fileName, chunk]] : [],
    ),
  );
  const first = new Set([...chunks.values()].filter(({ isEntry }) => isEntry));
  for (const { imports } of first)
    for (const file of imports) if (chunks.has(file)) first.add(chunks.get(file)!);
  return Array.from(first, (chunk) => chunk.code).join("");
}

async function chunksOf(folder: string, code: string) {
  const entry = join(folder, "entry.js");
  const bundle = await rolldown({
    input: entry,
    logLevel: "silent", // a source alone has imports in both ways, static and dynamic
    external: (id) => !/^\.|^[a-zA-Z]:|^[/\\]/.test(id),
    // Of the package, its package.json says it.
    treeshake: { moduleSideEffects: [{ external: true, sideEffects: false }] },
    resolve: { extensionAlias: { ".js": [".ts", ".js"] } },
    transform: { define: { __VERSION__: '"0.0.0"' } },
    plugins: [
      {
        name: "entry",
        resolveId: (id) => (id === entry ? id : null),
        load: (id) => (id === entry ? code : null),
      },
    ],
  });
  const { output } = await bundle.generate({ minify: true, comments: { annotation: false } });
  await bundle.close();
  return output;
}

/** Each value that an index exports, and its source file. */
function listed(folder: string): { name: string; file: string }[] {
  const index = readFileSync(join(folder, "src/index.ts"), "utf8");
  return [...index.matchAll(/^export \{([^}]*)\} from "\.\/([^"]*)\.js";/gm)].flatMap(([, names, file]) =>
    names!
      .split(",")
      .map((name) => name.trim())
      .filter((name) => name !== "" && !name.startsWith("type "))
      .map((name) => ({ name, file: file! })),
  );
}

/** The packages that a user of this one always has. */
const requiredPeers = ({
  peerDependencies = {},
  peerDependenciesMeta = {},
}: Record<string, Record<string, { optional?: boolean }>>) =>
  Object.keys(peerDependencies).filter((name) => !peerDependenciesMeta[name]?.optional);

// Minifiers format the same code slightly differently when it comes from one file or from many; data too.
const slackOf = (length: number, more: number) => 60 + length / 1000 + more;
/** Constants of source files are inlined in shader texts; in built files they are names. The binaries are chunks that share names. */
const constants: Record<string, number> = { "@qkv/webgpu": 800, "@qkv/wasm": 100 };

/**
 * The length of code. A character that the build escaped counts as one, as in the source. Imports and exports of chunks, which
 * dynamic imports create, do not count: they depend on how the build was split.
 */
const lengthOf = (code: string) =>
  code.replace(/\\u[\da-f]{4}/gi, "x").replace(/import(\{[^}]*\}from)?"[^"]*";|export\{[^}]*\};/g, "").length;

describe.each(tested)("$name", ({ name, folder, json }) => {
  test("each name of the built index bundles what its own source file bundles", async () => {
    const names = listed(folder);
    expect(names.length).toBeGreaterThan(0);
    const heavier: string[] = [];
    // The entry that bundlers resolve: the condition `module` of `exports`, if the package has it.
    const index = json.exports["."].import.module ?? "./dist/index.js";
    for (const each of names) {
      const built = await bundled(folder, `export { ${each.name} } from "${index}";`);
      const fromSource = await bundled(folder, `export { ${each.name} } from "./src/${each.file}.ts";`);
      expect(built).toContain(`as ${each.name}`);
      const [length, alone] = [lengthOf(built), lengthOf(fromSource)];
      if (length > alone + slackOf(alone, constants[name] ?? 0)) {
        heavier.push(`${each.name}: ${length} bytes, alone ${alone}`);
      }
    }
    expect(
      heavier,
      "a name brings code that its own source file does not need. Make what runs at import, as a table or `new` at the " +
        "top of a module, a function or mark it `/* @__PURE__ */`",
    ).toEqual([]);
  });

  test("an import changes no global, starts nothing and prints nothing", () => {
    const entries = Object.keys(json.exports)
      .filter((entry) => typeof json.exports[entry] === "object")
      .map((entry) => join(name, entry).replaceAll("\\", "/"));
    const program = `
      const seen = () => JSON.stringify([
        Reflect.ownKeys(globalThis).map(String).sort(),
        [Object, Array, Function, Promise, Float32Array, String, Number, RegExp, Map, Set]
          .map(({ prototype }) => Reflect.ownKeys(prototype).map(String)),
        process.eventNames().map(String).sort(),
        process.getActiveResourcesInfo().sort(),
      ]);
      // Loads Node's own modules first, so that their changes do not count.
      await import("node:module");
      // The same for the framework that the bindings import.
      for (const peer of ${JSON.stringify(requiredPeers(json))}) await import(peer);
      const before = seen();
      for (const entry of ${JSON.stringify(entries)}) await import(entry);
      if (seen() !== before) throw new Error(before + " became " + seen());`;
    const out = execFileSync(process.execPath, ["--input-type=module", "-e", program], {
      cwd: folder,
      encoding: "utf8",
    });
    expect(out).toBe("");
  });
});

test("every mechanism of the catalogue is bundled alone by a test above", () => {
  const attention = libraries.find(({ name }) => name === "@qkv/attention")!;
  const names = listed(attention.folder).map(({ name }) => name);
  const missing = catalogue.flatMap(({ exports }) => exports).filter((name) => !names.includes(name));
  expect(catalogue.length).toBeGreaterThanOrEqual(22);
  expect(
    missing,
    "src/catalogue.ts names exports that src/index.ts of @qkv/attention does not list: add them there",
  ).toEqual([]);
});

/** The file of the type that all mixers share, which is no mechanism. */
const mixerForm = "mixers/mixer";

/**
 * Mechanisms that use others: a window in another library's convention is a window, multi-head is grouped-query
 * attention.
 */
const usedMechanisms: Record<string, string[]> = {
  abc: ["mixers/gated-slot-attention"],
  crossAttention: ["heads/grouped-query", "masks/and"],
  deltaFormer: ["masks/causal"],
  groupedQuery: ["masks/and"],
  h2o: ["masks/causal"],
  impliedWeights: ["mixers/chunkwise", "mixers/mix"],
  latent: ["masks/and", "sparse/selected-keys"],
  luongConcat: ["heads/additive"],
  mix: ["mixers/chunkwise"],
  mixerLayer: ["mixers/chunkwise", "mixers/implied-weights", "mixers/input-maps", "mixers/mix"],
  multiHead: ["heads/grouped-query", "masks/and"],
  multiQuery: ["heads/grouped-query", "masks/and"],
  perHead: ["heads/grouped-query", "masks/and"],
  fromTorchKeyPadding: ["masks/mask-tensor"],
  fromTorchMHA: ["masks/mask-tensor"],
  windowFromFlashAttention: ["masks/sliding-window"],
  windowFromHuggingFace: ["masks/sliding-window"],
  windowFromKeras: ["masks/sliding-window"],
  windowFromSGLang: ["masks/sliding-window"],
  mobaBlocks: ["sparse/mean-blocks"],
  nativeSparse: [
    "masks/and",
    "masks/causal",
    "masks/sliding-window",
    "sparse/mean-blocks",
    "sparse/nsa-blocks",
    "sparse/past-blocks",
    "sparse/selected-keys",
  ],
  nsaBlocks: ["sparse/past-blocks"],
  rope: ["positions/rotate"],
  rwkv7: ["mixers/dplr"],
  snapKV: ["masks/causal"],
  tova: ["masks/causal"],
  xpos: ["positions/rotate"],
};

test("a mechanism bundles no other mechanism except those it uses", async () => {
  const { folder } = libraries.find(({ name }) => name === "@qkv/attention")!;
  const names = listed(folder);
  const mechanisms = new Set(
    names.map(({ file }) => file).filter((file) => file.includes("/") && file !== mixerForm),
  );
  const brought: Record<string, string[]> = {};
  for (const { name, file } of names) {
    const chunks = await chunksOf(folder, `export { ${name} } from "./src/${file}.ts";`);
    const modules = chunks
      .flatMap((chunk) => ("modules" in chunk ? Object.entries(chunk.modules) : []))
      .filter(([, { renderedLength }]) => renderedLength > 0)
      .map(([id]) =>
        id
          .replaceAll("\\", "/")
          .replace(/^.*\/src\//, "")
          .replace(/\.ts$/, ""),
      );
    const others = modules.filter((module) => mechanisms.has(module) && module !== file).sort();
    if (others.length > 0) brought[name] = others;
  }
  expect(brought).toEqual(usedMechanisms);
});
