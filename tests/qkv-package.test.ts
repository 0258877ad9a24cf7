// The package `qkv` re-exports the names of the other packages, without larger bundles.
import { execFileSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { rolldown } from "rolldown";
import { describe, expect, test } from "vitest";
import { casesByTier } from "../scripts/tier.mjs";
import { isSubpath } from "../scripts/api/entries.mjs";
import { publicPackages } from "../scripts/packages.mjs";
import { twoMeanings } from "../scripts/lint/words.mjs";

const folder = fileURLToPath(new URL("../packages/cli/", import.meta.url));
const packages = publicPackages();
const sources = [
  ...readFileSync(join(folder, "src/index.ts"), "utf8").matchAll(/^export \* from "(.*)";$/gm),
];
const reexported = sources.map(([, name]) => packages.find((each) => each.name === name)!);

/** Bytes of a minified program that imports names from a package, with their dependencies. */
async function bundleBytes(from: string, names: string): Promise<number> {
  const entry = join(folder, "entry.js");
  const code = `import { ${names} } from ${JSON.stringify(from)};\nconsole.log(${names});`;
  const bundle = await rolldown({
    input: entry,
    platform: "browser",
    external: ["webgpu", "@huggingface/hub"],
    plugins: [
      {
        name: "entry",
        resolveId: (id) => (id === entry ? id : null),
        load: (id) => (id === entry ? code : null),
      },
    ],
  });
  const { output } = await bundle.generate({ minify: true, comments: false });
  await bundle.close();
  const sizes = output.map((file) => ("code" in file ? Buffer.byteLength(file.code) : 0));
  expect(sizes[0]).toBeGreaterThan(500);
  return sizes.reduce((sum, size) => sum + size, 0);
}

const samples = [
  ["attention", "@qkv/attention"],
  ["attention, causal, slidingWindow", "@qkv/attention"],
  ["softmax", "@qkv/tensor"],
  ["loadTokenizer", "@qkv/tokenizer"],
  ["generate", "@qkv/transformer"],
  ["load", "@qkv/transformer"],
  ["pagedCache", "@qkv/kv-cache"],
  ["attentionMap", "@qkv/viz"],
  ["device", "@qkv/device"],
] as const;

// Node resolves these imports from packages/cli, as from a user's program.
describe("the package qkv", () => {
  test.each(casesByTier(samples, ([names]) => names === "attention"))(
    "{ %s } has the bundle size of the import from %s, within 2 %",
    async (names, from) => {
      const [own, fromQkv] = [await bundleBytes(from, names), await bundleBytes("qkv", names)];
      expect(
        Math.abs(fromQkv - own) / own,
        `${fromQkv} bytes from qkv, ${own} from ${from}`,
      ).toBeLessThanOrEqual(0.02);
    },
  );

  test("qkv exports every name of the packages, and each package under its subpath", () => {
    // In a child process, which loads each module once.
    const program = `
      const qkv = await import("qkv");
      const other = [];
      const partial = [];
      for (const name of ${JSON.stringify(reexported.map(({ name }) => name))}) {
        const [own, path] = [await import(name), await import(name.replace("@qkv", "qkv"))];
        for (const [label, value] of Object.entries(own)) {
          if (qkv[label] !== value) other.push(label + " of " + name);
          if (path[label] !== value) partial.push(label + " of " + name);
        }
      }
      console.log(JSON.stringify({ count: Object.keys(qkv).length, other, partial }));`;
    const out = execFileSync(process.execPath, ["--input-type=module", "-e", program], {
      cwd: folder,
      encoding: "utf8",
    });
    const { count, other, partial } = JSON.parse(out) as {
      count: number;
      other: string[];
      partial: string[];
    };
    expect(reexported.length).toBeGreaterThanOrEqual(10);
    expect(count).toBeGreaterThan(400);
    // Names that two packages export with different meanings; qkv exports one of them.
    expect(other).toEqual(["pad of @qkv/tokenizer", "norm of @qkv/transformer"]);
    for (const each of other) expect(twoMeanings).toHaveProperty([each.split(" ")[0]!]);
    expect(partial).toEqual([]);
  });

  test("each entry of a re-exported package has a subpath with its names", () => {
    // Packages under their subpaths only: names such as `memory`, `plan` and `estimate` of `cost` would be ambiguous,
    // `load` and `generate` of `worker` have the names of others, and `lens` is for those who look inside a model.
    const alone = packages.filter(({ name }) => ["@qkv/cost", "@qkv/lens", "@qkv/worker"].includes(name));
    const entries = [...reexported, ...alone].flatMap(({ name, json }) =>
      Object.keys(json.exports)
        .filter((entry) => json.exports[entry].import?.types)
        .map((entry) => name + entry.slice(1)),
    );
    const { exports } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    const paths = Object.keys(exports).filter((path) => isSubpath(exports[path]));
    expect(
      paths.toSorted(),
      "packages/cli/src/subpaths and its package.json have a path for each entry: add the file and the entry of `exports`",
    ).toEqual(entries.map((entry) => entry.replace("@qkv", ".")).toSorted());
    for (const entry of entries) {
      const file = join(folder, "src/subpaths", `${entry.replace("@qkv/", "")}.ts`);
      expect(readFileSync(file, "utf8")).toBe(`export * from "${entry}";\n`);
    }
  });

  test("the index only imports the re-exported packages", () => {
    const text = readFileSync(join(folder, "dist/index.js"), "utf8");
    const from = new Set([...text.matchAll(/from ['"]([^'"]+)['"]/g)].map(([, name]) => name));
    expect([...from].sort()).toEqual([...reexported.map(({ name }) => name), "@qkv/core"].sort());
  });

  test("browser files have no bare imports but the optional peer", () => {
    const texts = globSync("dist/browser/*.js", { cwd: folder }).map((file) =>
      readFileSync(join(folder, file), "utf8"),
    );
    const names = texts.flatMap((text) =>
      [...text.matchAll(/(?:from|import)\s*\(?\s*"([\w@][\w@/.-]*)"/g)].map(([, name]) => name),
    );
    // An optional peer, imported when a model of the hub is loaded: by `qkv.js` and by `worker.js`.
    expect(names).toEqual(["@huggingface/hub", "@huggingface/hub"]);
    // The kernels, the small model and the tasks of pipelines are separate files, loaded on first use.
    const first = globSync("dist/browser/{qkv,chunk-*}.js", { cwd: folder });
    const code = first.map((file) => readFileSync(join(folder, file), "utf8")).join("");
    expect(gzipSync(code, { level: 9 }).length).toBeLessThan(455_000);
  });
});

// Under Yarn's Plug'n'Play a package resolves only what it declares: `qkv/viz/react` would not find React.
test("qkv declares the optional peers of its dependencies", () => {
  const { json } = packages.find(({ name }) => name === "qkv")!;
  const needed = packages
    .filter(({ name }) => json["dependencies"][name] !== undefined)
    .map((each): Record<string, string> => each.json["peerDependencies"] ?? {});
  expect(json["peerDependencies"]).toEqual(Object.assign({}, ...needed));
  const optional = Object.keys(json["peerDependencies"]).map((name) => [name, { optional: true }]);
  expect(json["peerDependenciesMeta"]).toEqual(Object.fromEntries(optional));
});
