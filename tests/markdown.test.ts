// Pages for language models and other programs: each page of the site as Markdown, and one text with all pages and the
// API.
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { readReports } from "../apps/docs/scripts/api/against-reports.mjs";
import { apiPages } from "../apps/docs/scripts/api/pages.mjs";
import { fullText, markdownPages, toMarkdown } from "../apps/docs/scripts/markdown.mjs";
import { pages } from "../apps/docs/scripts/pages.mjs";
import { publicPackages } from "../scripts/packages.mjs";

const root = fileURLToPath(new URL("../", import.meta.url));
const reports = readReports();
let list: { path: string; title: string; markdown: string }[];
let full: string;

beforeAll(async () => {
  list = markdownPages(await apiPages(publicPackages()), "https://example.org/qkv/");
  full = fullText(list, "https://example.org/qkv/");
});

const prose = (text: string) =>
  text
    .replace(/^```.*?^```[ \t]*$/gms, "")
    .replace(/^ {4}.*$/gm, "")
    .replace(/``.*?``/g, "")
    .replace(/`[^`\n]*`/g, "");

test("each source and each entry point has a page, and paths are unique", () => {
  const paths = list.map(({ path }) => path);
  expect(new Set(paths).size).toBe(paths.length);
  for (const { path } of pages()) expect(paths).toContain(path);
  for (const title of reports.keys()) expect(paths).toContain(`/api/${title}/`);
  for (const { folder } of publicPackages())
    expect(paths).toContain(`/packages/${folder.split(/[\\/]/).at(-1)}/`);
});

test("no MDX remains outside of code", () => {
  const left = list.flatMap(({ path, markdown }) =>
    [...prose(markdown).matchAll(/<\/?[A-Z]\w*|\{\/\*|^import .* from ".*";|^---\nid:/gm)].map(
      ([what]) => `${path}: ${what}`,
    ),
  );
  expect(left).toEqual([]);
});

test("live examples appear in place, and every page begins with its heading", () => {
  for (const { path, text } of pages()) {
    const { markdown } = list.find((page) => page.path === path)!;
    for (const [, name] of text.matchAll(/<Live example="([\w-]+)" \/>/g)) {
      const code = readFileSync(join(root, `apps/docs/examples/${name}.ts`), "utf8");
      // The site's private package is replaced by the functions that do the same outside of it.
      for (const part of code.split(/^import \{[^}]*\} from "@qkv\/page";$/m))
        expect(markdown).toContain(part.trim());
      const [line] = /^import \{[^}]*\} from "@qkv\/page";$/m.exec(code) ?? [];
      if (line) expect(markdown).not.toContain(line);
    }
  }
  for (const { path, markdown } of list) expect(markdown.trimStart(), path).toMatch(/^# \S/);
});

test("links point to Markdown pages", () => {
  const known = new Set(list.map(({ path }) => `https://example.org/qkv${path}index.md`));
  const broken = list.flatMap(({ path, markdown }) =>
    [...prose(markdown).matchAll(/\]\((https:\/\/example\.org\/qkv\/[^)#\s]*)/g)]
      .map(([, address]) => address!)
      .filter(
        (address) =>
          !known.has(address) && !/\/(learn|packages|reference)\/[\w-]*\/?index\.md$/.test(address),
      )
      .map((address) => `${path}: ${address}`),
  );
  expect(broken).toEqual([]);
});

test.each([...reports.keys()])("llms-full.txt has every name of %s, and its declaration", (title) => {
  const start = full.indexOf(`<!-- https://example.org/qkv/api/${title}/ -->`);
  expect(start).toBeGreaterThan(0);
  const end = full.indexOf("<!-- https://example.org/", start + 1);
  const part = full.slice(start, end < 0 ? undefined : end);
  const missing = [...reports.get(title)!.keys()].filter(
    (name) =>
      !name.startsWith("~") && !part.includes(`### ${name}\n`) && !part.includes(`- \`${name}\` of [`),
  );
  expect(missing).toEqual([]);
});

test("llms-full.txt contains the guides, the reference and AGENTS.md of the package", () => {
  expect(full.indexOf(readFileSync(join(root, "packages/cli/AGENTS.md"), "utf8"))).toBe(0);
  for (const { path } of pages().filter(({ path }) => /^\/(guides|reference)\//.test(path)))
    expect(full).toContain(`<!-- https://example.org/qkv${path} -->`);
});

test("components are replaced by their content", () => {
  const source = `---\ntitle: T\n---\n\n# T\n\nimport { X } from "x";\n\n<Predict>\n\nWhich <Q>query</Q>?\n\n<Choice says="This." right>\n\nYes.\n\n</Choice>\n</Predict>\n\n{/* a comment */}\n\nSee [it](/learn/causal/#now).\n\n\`\`\`ts live\n<Live example="no" />;\n\`\`\`\n`;
  expect(toMarkdown("Write `<Heads />` or `<qkv-x args={y} />` here <Ours /> too")).toBe(
    "Write `<Heads />` or `<qkv-x args={y} />` here  too\n",
  );
  expect(toMarkdown(source, "https://a/")).toBe(
    '# T\n\nWhich query?\n\n**This.** (Right.)\n\nYes.\n\nSee [it](https://a/learn/causal/index.md#now).\n\n```ts\n<Live example="no" />;\n```\n',
  );
});

describe.each(["AGENTS.md", "packages/cli/AGENTS.md", "docs/releasing.md"])("%s", (file) => {
  const text = readFileSync(join(root, file), "utf8");

  test("every path and every command that it names exists", () => {
    const links = [...text.matchAll(/\]\(([^):#]+)(?:#[^)]*)?\)/g)].map(([, path]) => path!);
    const paths = [...text.matchAll(/`((?:packages|tests|scripts|docs)\/[^`*\s]+)`/g)].map(
      ([, path]) => path!,
    );
    for (const path of [...links.map((link) => join(dirname(file), link)), ...paths])
      expect(existsSync(join(root, normalize(path))), path).toBe(true);
    const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    for (const [, name] of text.matchAll(/`npm run ([\w:-]+)/g)) expect(scripts).toHaveProperty([name!]);
    for (const [, script] of text.matchAll(/node ((?:scripts|apps)\/[\w/.-]+)/g))
      expect(existsSync(join(root, script!)), script).toBe(true);
    for (const [, pattern] of text.matchAll(/vitest run [^`]*?(packages\/[^`\s]+)/g))
      expect(globSync(pattern!, { cwd: root })).not.toEqual([]);
  });
});

test("every function and entry point that AGENTS.md of qkv names is exported", () => {
  const text = readFileSync(join(root, "packages/cli/AGENTS.md"), "utf8");
  const names = new Set([...reports.values()].flatMap((report) => [...report.keys()]));
  const called = [...text.matchAll(/\b([a-z]\w+)\(/g)].map(([, name]) => name!);
  const methods = ["init", "apply", "read", "encode", "encodeBatch", "decode", "startsWith", "toNested"];
  expect(called.length).toBeGreaterThan(20);
  expect([...new Set(called)].filter((name) => !names.has(name) && !methods.includes(name))).toEqual([]);
  const entries = [...text.matchAll(/`((?:@qkv|qkv)\/[\w/-]+)`/g)].map(([, entry]) => entry!);
  expect(entries.length).toBeGreaterThan(8);
  // A subpath of qkv is another package's entry point: tests/qkv-package.test.ts compares them.
  const known = (entry: string) => reports.has(entry) || reports.has(`@${entry}`);
  expect(entries.filter((entry) => !known(entry))).toEqual([]);
});
