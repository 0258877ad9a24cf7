// The packed packages install in an empty folder, import as ESM and require as CommonJS.
import { execFileSync } from "node:child_process";
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { installPacked } from "../scripts/install-packed.mjs";
import { nodeOf } from "../scripts/nodes.mjs";
import { packAll } from "../scripts/pack.mjs";
import { publicPackages } from "../scripts/packages.mjs";

const packages = publicPackages();
const names = packages.map(({ name }) => name);
const specifiers = packages.flatMap(({ name, json }) =>
  Object.entries(json.exports)
    .filter(([, to]) => typeof to !== "string") // package.json, and files to be served, are not modules
    // An entry point named after a peer dependency, as `@qkv/viz/react`, needs that peer.
    .filter(([entry]) => !(entry.slice(2) in (json.peerDependencies ?? {})))
    .map(([entry]) => join(name, entry).replaceAll("\\", "/")),
);
const foreign = packages
  .flatMap(({ json }) => Object.keys(json.dependencies ?? {}))
  .filter((name) => !names.includes(name));

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "qkv-install-"));
  installPacked(folder, packAll(folder), names, { offline: foreign.length === 0 });
});
afterAll(() => rmSync(folder, { recursive: true }));

test("a packed package contains its licence, README and types, and depends on versions, not on the workspace", () => {
  for (const { name } of packages) {
    const at = join(folder, "node_modules", name);
    const json = readFileSync(join(at, "package.json"), "utf8");
    expect(json).not.toContain("workspace:");
    expect(JSON.parse(json).version).toMatch(/^\d+\.\d+\.\d+/);
    for (const file of ["LICENSE", "README.md", "dist/index.d.ts", "dist/index.d.cts"]) {
      expect(
        existsSync(join(at, file)),
        `${name}/${file} is not in the packed package: see \`files\` of package.json`,
      ).toBe(true);
    }
    expect(existsSync(join(at, "src")), `${name} packs its sources: see \`files\` of package.json`).toBe(
      false,
    );
  }
});

test("every ES module has an import or export: tools treat an empty file as CommonJS", () => {
  const modules = packages.flatMap(({ name, json }) =>
    Object.values<{ import?: { default: string } }>(json.exports).flatMap((to) =>
      to.import ? join(name, to.import.default) : [],
    ),
  );
  expect(modules).toContain(join("@qkv/tensor", "dist", "contracts.js"));
  for (const file of modules)
    expect(readFileSync(join(folder, "node_modules", file), "utf8"), file).toMatch(/^(export|import)\b/m);
});

// `npm run nightly install` compiles with old and new versions of TypeScript.
test("no declaration has a typed array with a type argument, which TypeScript before 5.7 rejects", () => {
  const declared = globSync("node_modules/{qkv,@qkv/*}/dist/*.d.{ts,cts}", { cwd: folder });
  expect(declared.length).toBeGreaterThan(names.length);
  const wrong = declared.filter((file) =>
    /(?:Array|DataView)<(?:Shared)?ArrayBuffer/.test(readFileSync(join(folder, file), "utf8")),
  );
  expect(
    wrong,
    "declarations that TypeScript before 5.7 refuses. Give the exported function or value in src a written type, " +
      "`Float32Array`, since the one that the compiler infers names its buffer",
  ).toEqual([]);
});

const nodes = [20, 24].map((major) => {
  const node = nodeOf(major);
  return { node, title: node ? `Node ${major}` : `Node ${major}, left out: none on this machine` };
});

describe.each(nodes)("$title", ({ node }) => {
  // NODE_PATH is empty, and packages must print nothing.
  const run = (type: "module" | "commonjs", program: string) =>
    execFileSync(node as string, [`--input-type=${type}`, "-e", program], {
      cwd: folder,
      encoding: "utf8",
      env: { ...process.env, NODE_PATH: "" },
    });
  const publicNames = (value: string) =>
    `Object.keys(${value}).filter((key) => key !== "__esModule" && key !== "module.exports").sort()`;

  test.skipIf(!node)(
    "every entry imports as ESM and requires as CommonJS, with the same names, and prints nothing",
    () => {
      const list = JSON.stringify(specifiers);
      const esm = run(
        "module",
        `const out = {}; for (const s of ${list}) out[s] = ${publicNames("await import(s)")}; console.log(JSON.stringify(out))`,
      );
      const cjs = run(
        "commonjs",
        `const out = {}; for (const s of ${list}) out[s] = ${publicNames("require(s)")}; console.log(JSON.stringify(out))`,
      );
      const found: Record<string, string[]> = JSON.parse(esm);
      expect(JSON.parse(cjs)).toEqual(found);
      for (const name of names) expect(found[name]?.length, `names exported by ${name}`).toBeGreaterThan(0);
    },
  );

  test.skipIf(!node)(
    "values made by the ESM build are used by the CommonJS build, and the other way round",
    () => {
      const out = run(
        "module",
        `import { createRequire } from "node:module";
       import * as esm from "@qkv/attention";
       import { tensor } from "@qkv/tensor";
       import { isQkvError } from "@qkv/core";
       const require = createRequire(process.cwd() + "/");
       const cjs = require("@qkv/attention");
       const make = (tensor) => tensor([1, 0, 0, 1], { shape: [1, 1, 2, 2] });
       const [a, b] = [make(tensor), make(require("@qkv/tensor").tensor)];
       const run = ({ attention }, x, { causal }) => [...attention(x, x, x, { mask: causal() }).data];
       const refusal = (() => { try { cjs.slidingWindow(0) } catch (error) { return error } })();
       console.log(JSON.stringify({
         separate: esm.attention !== cjs.attention,
         same: [run(esm, b, cjs), run(cjs, a, esm), run(cjs, b, esm)].every((r) => String(r) === String(run(esm, a, esm))),
         error: isQkvError(refusal),
       }))`,
      );
      expect(JSON.parse(out)).toEqual({ separate: true, same: true, error: true });
    },
  );

  const commands = packages.flatMap(({ json }) =>
    Object.values<string>(json.bin ?? {}).map((path) => join(json.name, path)),
  );
  test.skipIf(!node).each(commands)("the command %s tells what it does", (path) => {
    const out = execFileSync(node as string, [join(folder, "node_modules", path), "--help"], {
      cwd: folder,
      encoding: "utf8",
    });
    expect(out).toMatch(/usage/i);
  });
});
