import { createRequire } from "node:module";
import { expect, test } from "vitest";
import { searchedPages, searchIndex, type SearchIndex } from "./scripts/search-index.mjs";

type Lunr = { Index: { load(index: object): { search(query: string): { ref: string }[] } } };
const lunr = createRequire(createRequire(import.meta.url).resolve("@easyops-cn/docusaurus-search-local"))(
  "lunr",
) as Lunr;

/** Addresses of the documents that a query finds, best first, loaded from JSON as in the page. */
function found({ documents, index }: SearchIndex, query: string): string[] {
  return lunr.Index.load(JSON.parse(JSON.stringify(index)) as object)
    .search(query)
    .map(({ ref }) => documents.find(({ i }) => String(i) === ref)!)
    .map(({ u, h = "" }) => u + h);
}

test("a query finds lessons, guides and pages of the reference by title, description and text", () => {
  const all = searchedPages();
  const wanted = ["/learn/query-key-value/", "/guides/add-a-mechanism/", "/reference/attention/alibi/"];
  const list = all.filter(({ path }) => wanted.includes(path));
  expect(list.map(({ path }) => path).sort()).toEqual([...wanted].sort());
  const [titles, , descriptions, , texts] = searchIndex(list);
  expect(found(titles!, "+query +key +value")).toEqual(["/learn/query-key-value/"]);
  expect(found(descriptions!, "transpose")).toEqual(["/learn/query-key-value/"]);
  expect(found(texts!, "mechanism").some((url) => url.startsWith("/guides/add-a-mechanism/"))).toBe(true);
  expect(found(texts!, "alibi").some((url) => url.startsWith("/reference/attention/alibi/"))).toBe(true);
});

test("every lesson, guide and page of proof is searched; changelogs and refusals are not", () => {
  const paths = searchedPages().map(({ path }) => path);
  for (const start of ["/learn/", "/guides/", "/reference/", "/proof/", "/packages/"])
    expect(paths.some((path) => path.startsWith(start))).toBe(true);
  expect(paths.filter((path) => /CHANGELOG|refusals/.test(path))).toEqual([]);
});

test("headings lead to their ids, numbered as in the page; lines of code are no headings", () => {
  const markdown = [
    "# The *page*",
    "Before [a link](/learn/).",
    "## A `part`",
    "```sh",
    "# a comment",
    "```",
    "#### Deep",
    "## A part",
  ].join("\n");
  const [titles, headings, , , texts] = searchIndex([{ path: "/p/", title: "file", markdown }]);
  expect(titles!.documents.map(({ t, u }) => [t, u])).toEqual([["The page", "/p/"]]);
  expect(headings!.documents.map(({ t, h }) => [t, h])).toEqual([
    ["A part", "#a-part"],
    ["A part", "#a-part-1"],
  ]);
  expect(texts!.documents.map(({ t, h }) => [t, h])).toEqual([
    ["Before a link.", ""],
    ["# a comment Deep", "#a-part"],
  ]);
});
