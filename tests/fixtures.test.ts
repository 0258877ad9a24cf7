// A package's `src` contains published code and tests. Code for tests only is in @qkv/test-support.
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { expect, test } from "vitest";
import { graphOf } from "../scripts/lint/cycles.mjs";
import { allPackages } from "../scripts/packages.mjs";

/** The source files of a package's entry points: `exports`, without the modules for bundlers, and the command in package.json. */
function entriesOf(json: Record<string, unknown>, source: string): string[] {
  const built = JSON.stringify([json["exports"], json["bin"]]).matchAll(
    /"\.\/dist\/(?!modules\/)([\w/-]+)\.js"/g,
  );
  return [...new Set([...built].map(([, name]) => join(source, `${bundled[name!] ?? name}.ts`)))];
}

// Bundled by build-binaries.mjs in @qkv/wasm, and by tsup.browser.config.ts in qkv.
const bundled: Record<string, string> = {
  worker: "threads/worker",
  "browser/qkv": "browser",
  "browser/elements": "subpaths/viz/elements",
  "browser/worker": "subpaths/worker",
};

test.each(allPackages())("$name: an entry point imports every source", ({ folder, json }) => {
  const source = join(folder, "src");
  const graph = graphOf(source);
  const reached = new Set(entriesOf(json, source));
  for (const file of reached) {
    expect(graph.has(file), `${relative(folder, file)} is an entry in package.json, and not a file`).toBe(
      true,
    );
    for (const next of graph.get(file)!) reached.add(next);
  }
  const left = [...graph.keys()].filter((file) => !reached.has(file)).map((file) => relative(source, file));
  expect(
    left,
    "no entry imports these, so users never get them. Move what only tests use to packages/test-support/src, delete " +
      "what nobody uses, and export the rest",
  ).toEqual([]);
});

test.each(allPackages())("$name: src contains sources and their tests", ({ folder }) => {
  const source = join(folder, "src");
  const files = readdirSync(source, { recursive: true, withFileTypes: true }).filter((each) => each.isFile());
  const others = files
    .map((file) => relative(source, join(file.parentPath, file.name)))
    .filter((path) => !/\.tsx?$/.test(path));
  expect(others, "data of tests: move it to packages/test-support/data, and pictures beside src").toEqual([]);
});

test.each(allPackages())("$name: no source imports test libraries", ({ folder }) => {
  const source = join(folder, "src");
  const using = [...graphOf(source).keys()].filter((file) =>
    /^(?:import|export) [^;]*"(?:vitest|fast-check|@qkv\/test-support\/[a-z-]+)"/m.test(
      readFileSync(file, "utf8"),
    ),
  );
  expect(
    using.map((file) => relative(source, file)),
    "a fixture or an oracle: move it to packages/test-support/src",
  ).toEqual([]);
});
