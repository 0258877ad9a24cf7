// The index of the search under `npm start`. In the production build the search plugin makes it from the HTML of pages;
// the development server has no such HTML, so this makes the same index from their Markdown.
import { createRequire } from "node:module";
import { isMainThread, parentPort } from "node:worker_threads";
import { markdownPages } from "./markdown.mjs";
import { pages } from "./pages.mjs";

const fromPlugin = createRequire(import.meta.resolve("@easyops-cn/docusaurus-search-local"));
const { buildIndex } = fromPlugin("./utils/buildIndex.js");
const { createSlugger } = fromPlugin("@docusaurus/utils");

/**
 * Makes the index that the search plugin's client reads: of titles, headings, descriptions, keywords and texts.
 *
 * @param {readonly { path: string, title: string, markdown: string, description?: string }[]} list - `path`: "/learn/causal/".
 * @returns {{ documents: object[], index: object }[]}
 */
export function searchIndex(list) {
  const [titles, headings, descriptions, keywords, texts] = [[], [], [], [], []];
  let count = 0;
  for (const { path: u, title, markdown, description } of list) {
    const sections = sectionsOf(markdown);
    const page = { i: ++count, t: sections.find(({ level }) => level === 1)?.title ?? title, u, b: [] };
    titles.push(page);
    if (description) descriptions.push({ i: page.i, t: description, s: page.t, u, p: page.i });
    for (const { level, title, id, text } of sections) {
      const h = level > 1 ? `#${id}` : "";
      if (level > 1) headings.push({ i: ++count, t: title, u, h, p: page.i });
      if (text) texts.push({ i: ++count, t: text, s: title || page.t, u, h, p: page.i });
    }
  }
  // Options as in docusaurus.config.ts, where all three have their defaults.
  const options = { language: ["en"], removeDefaultStopWordFilter: [], removeDefaultStemmer: false };
  return buildIndex([titles, headings, descriptions, keywords, texts], options);
}

/** Text of a page by its headings of levels 1 to 3; text before the first heading has level 0. */
function sectionsOf(markdown) {
  const slugger = createSlugger();
  const sections = [{ level: 0, title: "", id: "", lines: [] }];
  let inCode = false;
  for (const line of markdown.split("\n")) {
    if (line.startsWith("```")) {
      inCode = !inCode;
      continue;
    }
    const [, marks, heading] = (!inCode && /^(#+) (.*)$/.exec(line)) || [];
    if (heading === undefined) sections.at(-1).lines.push(inCode ? line : plain(line));
    else {
      // Headings of every level take their id, so that a repeated one is numbered as in the page.
      const [title, id] = [plain(heading), slugger.slug(plain(heading))];
      if (marks.length <= 3) sections.push({ level: marks.length, title, id, lines: [] });
      else sections.at(-1).lines.push(title);
    }
  }
  return sections.map(({ lines, ...section }) => ({
    ...section,
    text: lines.join(" ").replace(/\s+/g, " ").trim(),
  }));
}

/** A line of Markdown without its marks. */
const plain = (line) =>
  line
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replace(/<\/?[a-z][^>]*>/gi, " ")
    .replace(/(^|\W)_(.+?)_(?=\W|$)/g, "$1$2")
    .replace(/\*\*|\*(?=\S)|(?<=\S)\*|`/g, "")
    .replace(/^\s*\|[-:| ]+\|$|\|/g, " ")
    .trim();

/** Pages that the index under `npm start` has: all but those of the API, of refusals, and the changelogs. */
export function searchedPages() {
  const descriptions = new Map(
    pages().map(({ path, text }) => [path, /^description: "?(.*?)"?$/m.exec(text)?.[1]]),
  );
  return markdownPages(new Map())
    .filter(({ path }) => !/\/CHANGELOG\/|^\/reference\/refusals\//.test(path))
    .map((page) => ({ ...page, description: descriptions.get(page.path) }));
}

// As a worker thread, posts the index as JSON.
if (!isMainThread && parentPort) parentPort.postMessage(JSON.stringify(searchIndex(searchedPages())));
