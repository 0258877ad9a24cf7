// The declarations that a compiler reads for each public entry: those of its module system. They import the package's
// dependencies, and optional peers only from the entries made for them.
import { readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { expect, test } from "vitest";
import { entriesForPeers } from "../scripts/entries-for-peers.mjs";
import { publicPackages } from "../scripts/packages.mjs";

const root = fileURLToPath(new URL("../", import.meta.url));
type Types = { import?: { types?: string }; require?: { types?: string } };
const packages = publicPackages();
const owner = (file: string) => packages.find(({ folder }) => !relative(folder, file).startsWith(".."))!;

const entries = packages.flatMap(({ name, folder, json }) =>
  Object.entries<Types>(json.exports).flatMap(([entry, to]) =>
    (["import", "require"] as const).flatMap((format) => {
      const types = to[format]?.types;
      return types
        ? [{ entry: join(name, entry).replaceAll("\\", "/"), format, file: join(folder, types) }]
        : [];
    }),
  ),
);

/** The files that are read for an entry, each with the packages it imports that are not ours. */
function reached(file: string, format: "import" | "require"): Map<string, string[]> {
  const found = new Map<string, string[]>();
  const visit = (at: string) => {
    if (found.has(at)) return;
    const foreign: string[] = [];
    found.set(at, foreign);
    for (const { fileName } of ts.preProcessFile(readFileSync(at, "utf8"), true, true).importedFiles) {
      const [, name, entry] = /^((?:@[^/]+\/)?[^/]+)(.*)$/.exec(fileName)!;
      const own = packages.find((each) => each.name === name);
      if (fileName.startsWith(".")) visit(join(dirname(at), fileName.replace(/\.(c?)js$/, ".d.$1ts")));
      else if (own) visit(join(own.folder, own.json.exports[`.${entry}`][format].types));
      else foreign.push(name!);
      if (!fileName.startsWith(".")) expectDeclared(at, name!);
    }
  };
  visit(file);
  return found;
}

function expectDeclared(file: string, name: string): void {
  const { json } = owner(file);
  const declared = { ...json.dependencies, ...json.peerDependencies, [json.name]: "" };
  expect(
    declared,
    `${relative(root, file)} imports ${name}, which its package.json does not declare`,
  ).toHaveProperty([name]);
}

test.each(entries)(
  "the declarations of $entry ($format) import what its users have",
  ({ entry, format, file }) => {
    const files = reached(file, format);
    const extension = format === "require" ? ".d.cts" : ".d.ts";
    expect(
      [...files.keys()].filter((from) => !from.endsWith(extension)),
      "declarations for the other module system, which TypeScript 6 refuses under node16",
    ).toEqual([]);
    const missing = [...files].flatMap(([from, names]) =>
      names
        .filter(
          (name) =>
            owner(from).json.peerDependenciesMeta?.[name]?.optional && !entriesForPeers[name]?.test(entry),
        )
        .map((name) => `${relative(root, from)} imports ${name}`),
    );
    expect(
      missing,
      "types of an optional peer are read for an entry that does not need it, so `tsc` without `skipLibCheck` fails where the peer is not installed",
    ).toEqual([]);
  },
);

test("the walk reaches React's types from the entries made for it", () => {
  const { file, format } = entries.find(({ entry }) => entry === "qkv/viz/react")!;
  expect([...reached(file, format).values()].flat()).toContain("react");
});
