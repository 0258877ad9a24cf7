// The generated API pages of the site agree with the API reports.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, expect, test } from "vitest";
import { differences, readReports } from "../apps/docs/scripts/api/against-reports.mjs";
import { apiPages } from "../apps/docs/scripts/api/pages.mjs";
import { packageOrder } from "../apps/docs/src/package-order.mts";
import { publicPackages } from "../scripts/packages.mjs";

const site = fileURLToPath(new URL("../apps/docs/", import.meta.url));
const reports = readReports();

let pages: Map<string, string>;
beforeAll(async () => {
  pages = await apiPages(publicPackages());
});

const titleOf = (file: string) => file.replace(/(\/index)?\.mdx$/, "");
const addressOf = (file: string) => `/api/${file.replace(/(index)?\.mdx$/, "")}`.replace(/([^/])$/, "$1/");

/** The names of a page, each with the text below its heading. */
function shownOn(text: string) {
  return text
    .split(/^### /m)
    .slice(1)
    .map((part) => {
      const code = /^<Declaration code=\{(".*?(?<!\\)(?:\\\\)*")\} links/m.exec(part)?.[1];
      return {
        label: /^\S+/.exec(part)![0],
        code: code && (JSON.parse(code) as string),
        from: /^From .*\((.*)\)/m.exec(part)?.[1],
      };
    });
}

test("each entry point of each published package has a page", () => {
  const titles = [...pages.keys()].filter((file) => file !== "index.mdx").map(titleOf);
  expect(titles.toSorted()).toEqual([...reports.keys()].toSorted());
});

test.each([...reports.keys()])("%s: every exported name, its type as written", (title) => {
  const [, text] = [...pages].find(([file]) => titleOf(file) === title)!;
  expect(differences(reports.get(title)!, shownOn(text))).toEqual([]);
});

test("a wrong type, a missing name and an extra name are reported", () => {
  const report = new Map([
    ["a", "declare function a(x: number): Tensor;"],
    ["B", "type B = { c?: Mask; };"],
  ]);
  const shown = (a: string, b: string) => [
    { label: "a", code: a },
    { label: "B", code: b },
  ];
  const right = shown("function a(\n  x: number,\n): Tensor;", "type B = {\n  /** Why. */\n  c?: Mask;\n};");
  expect(differences(report, right)).toEqual([]);
  expect(
    differences(report, shown("function a(x: number): Tensor;", "type B = { c?: bytesPerElement };")),
  ).toEqual(["shows another B than api.md: type B = { c?: bytesPerElement };", "has no B as api.md has it"]);
  expect(differences(report, right.slice(1))).toEqual(["has no a as api.md has it"]);
  expect(differences(new Map(), right.slice(1)).length).toBe(1);
});

test("functions precede classes, constants and types", () => {
  const order = ["Functions", "Classes", "Constants", "Types", "Types that are not exported"];
  for (const [file, text] of pages) {
    if (file === "index.mdx") continue;
    const headings = [...text.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading);
    expect(headings, file).toEqual(order.filter((each) => headings.includes(each)));
  }
});

test("the page shows the docstring: shapes, defaults, errors, an example", () => {
  const page = pages.get("@qkv/attention/index.mdx")!;
  const section = page.slice(page.indexOf("### slidingWindow {"), page.indexOf("### softmaxOne {"));
  expect(section).toContain("`[B, H, T, D]`");
  expect(section).toContain("- Throws `ArgumentError`: If");
  expect(section).toMatch(/<Fold of="slidingwindow" title="Parameters, notes, errors, source, example">\n/);
  expect(section).toMatch(/\n- Source: "Longformer" \(2020\), arXiv:2004.05150, section 3.1; "Mistral/);
  expect(section).toMatch(/\n```ts\nimport [^`]*```\n\n<\/Fold>/);
  expect(page).toContain("/** D, the size of one head. Default: C / H. */");
});

test("a long type is collapsed under its name, and a long page begins with a list of names", () => {
  const page = pages.get("@qkv/attention/index.mdx")!;
  const [options] = /^### AttentionOptions \{[^]*?(?=^###? )/m.exec(page)!;
  expect(options).toMatch(/<Fold of="attentionoptions" title="Type[^>]*>\n\n<Declaration /);
  const [index] = /<NameIndex groups=.*/.exec(page)!;
  const labels = [...page.matchAll(/^### (\S+) \{\/\* #(\S+) \*\/\}$/gm)].filter(
    ({ index }) => index! < page.indexOf("## Types that are not exported"),
  );
  expect(labels.length).toBeGreaterThan(100);
  for (const [, label, id] of labels) expect(index).toContain(JSON.stringify([label, id]));
  expect(pages.get("@qkv/model-tiny/index.mdx")).not.toContain("NameIndex");
});

test("every page shows the stability of its names, and names with another stability show theirs", () => {
  for (const { name, json } of publicPackages()) {
    expect(["stable", undefined], `\`stability\` of ${name}`).toContain(json.stability);
    const label = json.stability ? "**Stable:** " : "**Experimental:** ";
    for (const [file, text] of pages) {
      if (!titleOf(file).startsWith(name) || titleOf(file).charAt(name.length).match(/[^/]/)) continue;
      expect(text.slice(0, text.indexOf("\n## ")), file).toContain(label);
    }
  }
  const page = pages.get("@qkv/transformer/index.mdx")!;
  expect(page).toMatch(/^### modelStore .*\n\n\*\*Experimental:\*\* it may change/m);
  expect(page).not.toMatch(/^### load .*\n\n\*\*/m);
});

test("a URL in @see appears on the page unchanged", () => {
  expect(pages.get("@qkv/tensor/safetensors.mdx")).toContain(
    '\n- Source: https://github.com/huggingface/safetensors, "Format"\n\n```',
  );
});

test("the list of all names orders packages as the sidebar does", () => {
  const headings = [...pages.get("index.mdx")!.matchAll(/^## (?:@qkv\/)?(.*)$/gm)].map(([, name]) => name);
  expect(headings.map((name) => (name === "qkv" ? "cli" : name))).toEqual(packageOrder);
});

test("every link to an API page resolves, on API pages and on handwritten pages", () => {
  const known = new Set(["/api/"]);
  for (const [file, text] of pages) {
    known.add(addressOf(file));
    for (const [, id] of text.matchAll(/^### .* \{\/\* #(.*) \*\/\}$/gm))
      known.add(`${addressOf(file)}#${id}`);
  }
  const written = ["lessons", "reference", "guides", "proof"].flatMap((folder) =>
    readdirSync(join(site, folder), { recursive: true, encoding: "utf8" })
      .filter((file) => /\.mdx?$/.test(file))
      .map((file) => [`${folder}/${file}`, readFileSync(join(site, folder, file), "utf8")] as const),
  );
  const broken = [...pages, ...written].flatMap(([file, text]) =>
    [...text.matchAll(/[("](\/api\/[^)"\s]*)[)"]/g)]
      .map(([, address]) => address!)
      .filter((address) => !known.has(address))
      .map((address) => `${file}: ${address}`),
  );
  expect(broken).toEqual([]);
});
