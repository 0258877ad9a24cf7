// Packages import each other in one direction only, and only through their `exports`.
import { execFileSync, spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { drawGraph, importGraph } from "../scripts/architecture.mjs";
import { allPackages } from "../scripts/packages.mjs";

const root = fileURLToPath(new URL("../", import.meta.url));
const packages = allPackages();
const names = packages.map(({ name }) => name);

// The packages that each may import. `qkv`, the command, may import any.
const transformerAndBelow = [
  "@qkv/core",
  "@qkv/tensor",
  "@qkv/attention-contract",
  "@qkv/attention",
  "@qkv/kv-cache",
  "@qkv/tokenizer",
  "@qkv/transformer",
];
const allowedImports: Record<string, string[]> = {
  "@qkv/device": ["@qkv/core", "@qkv/tensor", "@qkv/attention-contract", "@qkv/wasm", "@qkv/webgpu"],
  // Also the packages that transformer may import: a TypeScript reference to it includes them.
  "@qkv/figures": [...transformerAndBelow, "@qkv/cost", "@qkv/wasm", "@qkv/model-tiny", "@qkv/viz"],
  "@qkv/core": [],
  "@qkv/tensor": ["@qkv/core"],
  "@qkv/attention-contract": ["@qkv/core", "@qkv/tensor"],
  "@qkv/wasm": ["@qkv/core", "@qkv/tensor", "@qkv/attention-contract"],
  "@qkv/webgpu": ["@qkv/core", "@qkv/tensor", "@qkv/attention-contract"],
  "@qkv/gpu": ["@qkv/core", "@qkv/tensor", "@qkv/attention-contract"],
  "@qkv/attention": ["@qkv/core", "@qkv/tensor", "@qkv/attention-contract"],
  "@qkv/kv-cache": ["@qkv/core", "@qkv/tensor", "@qkv/attention-contract"],
  "@qkv/tokenizer": ["@qkv/core"],
  "@qkv/transformer": [
    "@qkv/core",
    "@qkv/tensor",
    "@qkv/attention-contract",
    "@qkv/attention",
    "@qkv/kv-cache",
    "@qkv/tokenizer",
  ],
  // As in stores, and the model of its examples and tests.
  "@qkv/lens": [...transformerAndBelow, "@qkv/model-tiny"],
  // As in figures.
  "@qkv/worker": [
    "@qkv/core",
    "@qkv/tensor",
    "@qkv/attention-contract",
    "@qkv/attention",
    "@qkv/kv-cache",
    "@qkv/tokenizer",
    "@qkv/transformer",
    "@qkv/wasm",
    "@qkv/webgpu",
    "@qkv/device",
    "@qkv/model-tiny",
  ],
  "@qkv/cost": ["@qkv/core"],
  "@qkv/viz": ["@qkv/core"],
  "@qkv/model-tiny": [],
  "create-qkv": ["@qkv/core"],
  // As in figures: references to transformer and stores include the packages that these import.
  "@qkv/stores": transformerAndBelow,
  "@qkv/react": [...transformerAndBelow, "@qkv/stores"],
  "@qkv/vue": [...transformerAndBelow, "@qkv/stores"],
  "@qkv/page": ["@qkv/core", "@qkv/viz"],
};
const command = "qkv";
const allowed = (name: string) =>
  name === command ? names.filter((other) => other !== name) : (allowedImports[name] ?? []);
const declaredPackages = (json: Record<string, Record<string, string>>) =>
  Object.keys({
    ...json.dependencies,
    ...json.devDependencies,
    ...json.peerDependencies,
    ...json.optionalDependencies,
  })
    .filter((name) => names.includes(name))
    .sort();

test("`allowedImports` lists every package", () => {
  expect(
    [...Object.keys(allowedImports), command].sort(),
    "list a new package in `allowedImports`, with all that it imports",
  ).toEqual([...names].sort());
});

test("sources import only allowed packages, and docs/architecture.svg shows their imports", () => {
  const graph = importGraph();
  for (const [name, others] of graph) {
    const why = `${name} has imports that \`allowedImports\` does not list: take the value as an argument, or move the code down`;
    expect(allowed(name), why).toEqual(expect.arrayContaining(others));
  }
  expect(graph.get("@qkv/attention")).toEqual(["@qkv/attention-contract", "@qkv/core", "@qkv/tensor"]);
  const drawn = readFileSync(join(root, "docs/architecture.svg"), "utf8");
  expect(drawn, "docs/architecture.svg is drawn from imports, which changed: npm run architecture").toBe(
    drawGraph(graph),
  );
});

/** The names that a program in the folder can require. Runs in a child process: test runners add search paths. */
function resolvable(folder: string, wanted: string[]): string[] {
  const { NODE_PATH: _, ...env } = process.env;
  const program = `const found = (name) => { try { return require.resolve(name) } catch { return false } };
    console.log(JSON.stringify(${JSON.stringify(wanted)}.filter(found)))`;
  return JSON.parse(execFileSync(process.execPath, ["-e", program], { cwd: folder, env, encoding: "utf8" }));
}

describe.each(packages)("$name", ({ name, folder, json }) => {
  test("package.json declares the allowed imports, and the project references are the same", () => {
    const { references } = JSON.parse(readFileSync(join(folder, "tsconfig.json"), "utf8"));
    // Tests share @qkv/test-support, which is not a dependency: it is not published.
    const referenced = references
      .map(({ path }: { path: string }) => basename(path))
      .filter((path: string) => path !== "test-support")
      .map((path: string) => packages.find((other) => basename(other.folder) === path)?.name);
    if (name !== command) {
      const why =
        "dependencies of package.json are `allowedImports` at the top of this file: packages import downwards only";
      expect(declaredPackages(json), `${why}; change both, or neither`).toEqual([...allowed(name)].sort());
    }
    expect(referenced.sort(), "`references` of tsconfig.json are the dependencies of package.json").toEqual(
      declaredPackages(json),
    );
    expect(
      Object.values({ ...json.dependencies, ...json.devDependencies }).filter((range) =>
        String(range).startsWith("workspace:"),
      ),
    ).toEqual(declaredPackages(json).map(() => "workspace:^"));
  });

  test("Node resolves the declared packages, and no other of this repository", () => {
    const others = names.filter((other) => other !== name);
    expect(resolvable(folder, others).sort()).toEqual(declaredPackages(json));
  });

  test("no path beyond `exports` resolves", () => {
    const { resolve } = createRequire(join(folder, "package.json"));
    for (const path of ["dist/index.js", "dist/index.cjs", "src/index.ts", "dist", "README.md"]) {
      expect(() => resolve(`${name}/${path}`)).toThrow(
        expect.objectContaining({ code: "ERR_PACKAGE_PATH_NOT_EXPORTED" }),
      );
    }
    for (const entry of Object.keys(json.exports)) {
      expect(
        entry,
        "each entry of `exports` names one module: a pattern would make inner files public",
      ).not.toContain("*");
      const built = existsSync(resolve(join(name, entry).replaceAll("\\", "/")));
      expect(built, `${entry} of \`exports\` is not built: npm run build, or add it to tsup.config.ts`).toBe(
        true,
      );
    }
  });
});

describe("tsc -b", () => {
  // Uses the real package.json and tsconfig.json of every package, each with a source of one line, so that only imports
  // can fail.
  const copy = mkdtempSync(join(tmpdir(), "qkv-boundaries-"));
  const source = (name: string, file: string) =>
    join(
      copy,
      "packages",
      basename(packages.find((each) => each.name === name)?.folder ?? name),
      "src",
      file,
    );

  beforeAll(() => {
    cpSync(join(root, "tsconfig.base.json"), join(copy, "tsconfig.base.json"));
    mkdirSync(join(copy, "node_modules"));
    const support = join(copy, "packages/test-support");
    mkdirSync(join(support, "src"), { recursive: true });
    cpSync(join(root, "packages/test-support/tsconfig.json"), join(support, "tsconfig.json"));
    writeFileSync(join(support, "src/allclose.ts"), "export {};\n");
    symlinkSync(join(root, "node_modules/@types"), join(copy, "node_modules/@types"), "junction");
    for (const { name, folder } of packages) {
      mkdirSync(join(copy, "packages", basename(folder), "src"), { recursive: true });
      for (const file of ["package.json", "tsconfig.json"]) {
        cpSync(join(folder, file), join(copy, "packages", basename(folder), file));
      }
      writeFileSync(source(name, "index.ts"), `export const here = ${JSON.stringify(name)};\n`);
    }
  });
  afterAll(() => rmSync(copy, { recursive: true }));

  const tsc = (...folders: string[]) => {
    const bin = createRequire(join(root, "package.json")).resolve("typescript/bin/tsc");
    const args = [bin, "-b", "--pretty", "false", ...folders.map((folder) => join("packages", folder))];
    return spawnSync(process.execPath, args, { cwd: copy, encoding: "utf8" });
  };
  const allFolders = packages.map(({ folder }) => basename(folder));

  test("accepts every allowed import", () => {
    for (const { name, json } of packages) {
      const imports = declaredPackages(json).map(
        (other, i) => `export { here as h${i} } from ${JSON.stringify(other)};\n`,
      );
      writeFileSync(source(name, "allowed.ts"), imports.join("") || "export {};\n");
    }
    expect(tsc(...allFolders)).toMatchObject({ stdout: "", status: 0 });
  });

  const forbidden = names.flatMap((from) =>
    names
      .filter((to) => to !== from && from !== command && !allowed(from).includes(to))
      .map((to) => ({ from, to })),
  );

  // TS6059 and TS6307: the file belongs to no referenced project. TS2307: the module is not found.
  test("rejects every other import", () => {
    for (const [i, { from, to }] of forbidden.entries()) {
      writeFileSync(source(from, `forbidden-${i}.ts`), `export { here } from ${JSON.stringify(to)};\n`);
    }
    const { stdout, status } = tsc(...allFolders);
    expect(status, `the compiler lets ${forbidden.length} forbidden imports through`).not.toBe(0);
    const refused = forbidden.filter((_, i) => {
      const file = new RegExp(`forbidden-${i}\\.ts`);
      return stdout
        .split(/^(?=\S)/m)
        .some((error) => /error TS(6059|6307|2307)/.test(error) && file.test(error));
    });
    expect(refused).toEqual(forbidden);
    // Declarations of files that a forbidden import adds are written to the importer's .types, never to a source
    // folder.
    const written = readdirSync(join(copy, "packages"), { recursive: true, encoding: "utf8" });
    const inSources = written.filter((file) => /[\\/]src[\\/].*\.d\.ts/.test(file.replace(/\.types.*/, "")));
    expect(
      inSources,
      "the type check writes declarations into src. Let `outDir` in the package's tsconfig.json be .types",
    ).toEqual([]);
  });
});
