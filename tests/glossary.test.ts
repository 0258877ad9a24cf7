// The glossary: each term has a sentence and existing names, and the site's page is up to date.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { glossaryPage, terms } from "../scripts/glossary.mjs";
import { allPackages } from "../scripts/packages.mjs";

const root = fileURLToPath(new URL("../", import.meta.url));
const sources = [...allPackages().map(({ folder }) => join(folder, "src")), join(root, "apps/docs/src")];
const code = sources
  .flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((file) => /\.tsx?$/.test(file) && !file.endsWith(".test.ts"))
      .map((file) => readFileSync(join(folder, file), "utf8")),
  )
  .join("\n");

test.each(terms())("$term is explained, and its name in code exists", ({ meaning, names }) => {
  expect(meaning).toMatch(/^[A-Z].*(\.|\))$/);
  expect(names.length, "give the name in code in the third column").toBeGreaterThan(0);
  for (const name of names) {
    const found = new RegExp(`\\b${name}\\b`).test(code);
    expect(found, `no source has the name ${name}: after a rename, docs/glossary.md gets the new name`).toBe(
      true,
    );
  }
});

test("no term is explained twice", () => {
  const all = terms().map(({ term }) => term);
  expect(all.length).toBeGreaterThan(30);
  expect(all.filter((term, i) => all.indexOf(term) !== i)).toEqual([]);
});

test("the site's page agrees with docs/glossary.md", () => {
  const page = readFileSync(join(root, "apps/docs/proof/glossary.mdx"), "utf8");
  expect(page, "run node scripts/glossary.mjs, and commit what it writes").toBe(glossaryPage());
});
