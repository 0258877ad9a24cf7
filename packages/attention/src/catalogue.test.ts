import { expect, test } from "vitest";
import { catalogue } from "./catalogue.js";
import * as attention from "./index.js";

const exported = Object.keys(attention);
// Exports that are no mechanisms: patterns of heads, tables that score rules read, and a function for second derivatives.
const others = ["previousToken", "firstToken", "sameToken", "induction", "lookup", "secondGradients"];

test("every export of every entry exists, and is a function", () => {
  const named = catalogue.flatMap(({ exports }) => exports);
  expect(named.filter((name) => !exported.includes(name))).toEqual([]);
  const functions = attention as unknown as Record<string, unknown>;
  for (const name of named) expect(typeof functions[name], name).toBe("function");
});

test("every exported mechanism has an entry", () => {
  const named = new Set([...catalogue.flatMap(({ exports }) => exports), ...others]);
  expect(exported.filter((name) => !named.has(name))).toEqual([]);
});

test("names are unique and in kebab-case; years, URLs and descriptions are present", () => {
  expect(new Set(catalogue.map(({ name }) => name)).size).toBe(catalogue.length);
  for (const { name, page, title, formula, kvEffect, paper, year, models } of catalogue) {
    expect(name).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
    expect(page).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
    expect(paper.url).toMatch(/^https:\/\/\S+$/);
    expect(year).toBeGreaterThanOrEqual(2014);
    // An identifier of arXiv begins with the year and month of its first version.
    const arxiv = /arxiv\.org\/abs\/(\d\d)/.exec(paper.url);
    if (arxiv) expect(2000 + Number(arxiv[1]), name).toBe(year);
    for (const text of [title, formula, kvEffect, paper.title, ...models]) expect(text.trim()).not.toBe("");
  }
});
