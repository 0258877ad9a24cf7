// The table of names: the page is up to date, every name exists, and every function of ours is listed.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { names, namesPage, ours } from "../scripts/names.mjs";

const root = new URL("../", import.meta.url);
const rows = names();
const entries = [...new Set(rows.map(({ entry }) => entry))];

test("the page is up to date", () => {
  const page = readFileSync(new URL("apps/docs/reference/tensor/names.mdx", root), "utf8");
  expect(page, "run node scripts/names.mjs").toBe(namesPage());
});

test.each(entries)(
  "%s: every function is in the table, and every name of the table is a function",
  async (entry) => {
    const file = entry === "@qkv/tensor" ? "index" : entry.slice("@qkv/tensor/".length);
    const module = (await import(new URL(`packages/tensor/dist/${file}.js`, root).href)) as Record<
      string,
      unknown
    >;
    const functions = Object.keys(module).filter((name) => typeof module[name] === "function");
    const alone: readonly string[] = ours[entry] ?? [];
    const listed = rows.filter((row) => row.entry === entry).map(({ name }) => name);
    expect([...listed, ...alone].toSorted()).toEqual(functions.toSorted());
  },
);

test("each row has at least one name of another library, and no such name appears twice", () => {
  for (const library of ["torch", "numpy", "tfjs"] as const) {
    const used = rows.map((row) => row[library]).filter((name) => name !== "");
    expect(used.filter((name, i) => used.indexOf(name) < i)).toEqual([]);
  }
  expect(rows.filter(({ torch, numpy, tfjs }) => torch + numpy + tfjs === "")).toEqual([]);
});
