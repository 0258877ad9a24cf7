// The API pages: one for each entry point of each published package, and a list of all names.
import { basename } from "node:path";
import ts from "typescript";
import { readEntries } from "../../../../scripts/api/entries.mjs";
import { packageOrder } from "../../src/package-order.mts";
import { writeDeclaration } from "./declaration.mjs";
import { writeDocstring } from "./docstring.mjs";
import { labelOf, packageStability, stabilityOf } from "./stability.mjs";

/** Kinds of names in the order of a page, by heading. The word distinguishes anchors of names that two kinds share. */
const kinds = {
  Functions: "function",
  Classes: "class",
  Constants: "constant",
  Types: "type",
  "Types that are not exported": "inner",
};

/** Longest declaration, in lines, that is not collapsed. */
const longestShown = (kind) => (kind === "Functions" ? 16 : 3);

/** Number of names from which a page begins with a list of them. */
const fewest = 8;

/**
 * Generates the pages from the built packages.
 *
 * @param {import("../../../../scripts/api/entries.mjs").Package[]} packages
 * @returns {Promise<Map<string, string>>} Texts by file: `@qkv/tensor/index.mdx`, `@qkv/tensor/optimizers.mdx`.
 */
export async function apiPages(packages) {
  const { checker, entries } = readEntries(packages);
  const exported = new Set(
    entries.flatMap(({ names }) => names.filter(({ inner }) => !inner).map(({ symbol }) => symbol)),
  );
  const pages = entries.map(({ pkg, entry, names }) => {
    const title = pkg.name + entry.slice(1);
    const address = `/api/${title}/`;
    // A name that another entry point exports is documented on that entry point's page.
    const shown = names.filter(({ inner, symbol }) => !inner || !exported.has(symbol));
    return { pkg, entry, title, address, sections: sectionsOf(shown, checker, address) };
  });
  const texts = new Map([["index.mdx", indexPage(pages)]]);
  for (const page of pages) {
    const file = `${page.pkg.name}/${page.entry === "." ? "index" : page.entry.slice(2)}.mdx`;
    texts.set(file, await entryPage(page, pages, checker));
  }
  return texts;
}

/** The names of an entry point in the order of its page, each with its kind and its address. */
function sectionsOf(names, checker, address) {
  const all = names.map((name) => ({ ...name, kind: kindOf(name, checker) }));
  const sorted = Object.keys(kinds).flatMap((kind) => all.filter((name) => name.kind === kind));
  const usedIds = new Set();
  return sorted.map((name) => {
    // Anchors of a type `KvCache` and a function `kvCache` must differ.
    const plain = name.label.toLowerCase();
    const id = usedIds.has(plain) ? `${plain}-${kinds[name.kind]}` : plain;
    if (usedIds.has(id)) throw new Error(`${address} has two names with the anchor #${id}`);
    usedIds.add(id);
    return { ...name, id, address: `${address}#${id}` };
  });
}

function kindOf({ symbol, declarations, inner }, checker) {
  if (inner) return "Types that are not exported";
  if (symbol.flags & ts.SymbolFlags.Class) return "Classes";
  if (!(symbol.flags & ts.SymbolFlags.Value)) return "Types";
  const type = checker.getTypeOfSymbolAtLocation(symbol, declarations[0]);
  return type.getCallSignatures().length > 0 ? "Functions" : "Constants";
}

async function entryPage(page, pages, checker) {
  const { pkg, title, sections } = page;
  const addresses = lookupFrom(page, pages);
  const blocks = [];
  for (const kind of Object.keys(kinds)) {
    const ofKind = sections.filter((section) => section.kind === kind);
    if (ofKind.length > 0) blocks.push(`## ${kind}`);
    for (const { label, id, symbol, declarations, elsewhere } of ofKind) {
      blocks.push(`### ${label} {/* #${id} */}`);
      if (elsewhere) {
        const { home, address } = addresses.homeOf(symbol);
        blocks.push(`From [\`${home}\`](${address}).`);
        continue;
      }
      const stability = stabilityOf(declarations, pkg);
      if (stability !== packageStability(pkg)) blocks.push(labelOf(stability));
      const { code, links } = await writeDeclaration(declarations, checker, addresses.ofSymbol);
      const declaration = `<Declaration code={${JSON.stringify(code)}} links={${JSON.stringify(links)}} />`;
      const { summary, parts } = writeDocstring(declarations, addresses.ofLabel);
      const long = code.split("\n").length > longestShown(kind);
      if (!long) blocks.push(declaration);
      blocks.push(...summary, folded(id, { ...(long && { type: declaration }), ...parts }));
    }
  }
  const head = {
    title,
    description: `Every name that ${title} exports, with its type. ${pkg.json.description}`,
    custom_edit_url: null,
  };
  // A title that is too long for a line may break after a slash.
  const heading = `# ${title.replaceAll("/", "/<wbr />")}`;
  const index = sections.length < fewest ? [] : [indexOf(sections)];
  const folder = basename(pkg.folder);
  const about = `${page.entry === "." ? `${pkg.json.description} ` : ""}[About the package](/packages/${folder}/).`;
  const all = [
    about,
    labelOf(packageStability(pkg)),
    `\`import { … } from "${title}"\``,
    ...index,
    ...blocks,
  ].filter((block) => block !== "");
  return `${frontMatter(head)}\n${heading}\n\n${all.join("\n\n")}\n`;
}

/** A list of a long page's names by kind. */
function indexOf(sections) {
  const exported = Object.keys(kinds).filter((kind) => kind !== "Types that are not exported");
  const groups = exported.flatMap((kind) => {
    const names = sections.filter((section) => section.kind === kind);
    return names.length === 0 ? [] : [{ kind, names: names.map(({ label, id }) => [label, id]) }];
  });
  return `<NameIndex groups={${JSON.stringify(groups)}} />`;
}

/** A collapsed part, titled with its sections: "Parameters, notes, errors, example". It opens for a link to `id`. */
function folded(id, parts) {
  const blocks = Object.entries(parts).filter(([, block]) => block !== "");
  if (blocks.length === 0) return "";
  const names = blocks.map(([name]) => name).join(", ");
  const title = names[0].toUpperCase() + names.slice(1);
  return `<Fold of="${id}" title="${title}">\n\n${blocks.map(([, block]) => block).join("\n\n")}\n\n</Fold>`;
}

/** Resolves links of a page: to the page itself, then to its package, then to the package that exports the name. */
function lookupFrom(page, pages) {
  const near = [
    page,
    ...pages.filter((each) => each !== page && each.pkg === page.pkg),
    ...pages.filter((each) => each.pkg !== page.pkg),
  ];
  const all = near.flatMap(({ title, sections }) => sections.map((section) => ({ ...section, home: title })));
  const homeOf = (symbol) => all.find((each) => each.symbol === symbol && !each.elsewhere);
  return {
    homeOf,
    ofSymbol: (symbol) => homeOf(symbol)?.address,
    ofLabel: (label) => all.find((each) => each.label === label && !each.inner)?.address,
  };
}

function indexPage(pages) {
  const place = ({ pkg }) => packageOrder.indexOf(basename(pkg.folder));
  const inOrder = pages.toSorted((a, b) => place(a) - place(b));
  const blocks = inOrder.map(({ pkg, entry, title, address, sections }) => {
    const heading = entry === "." ? `## ${title}\n\n${pkg.json.description}\n\n` : "";
    // Names of other packages are in the lists of those packages.
    const names = sections.filter(({ kind, elsewhere }) => !kind.startsWith("Types") && !elsewhere);
    const list = names.map((name) => `[\`${name.label}\`](${name.address})`).join(" · ");
    return `${heading}[**${title}**](${address}) ${list}`;
  });
  const head = {
    title: "Every function",
    description: "The functions, classes and constants of every package, by entry point.",
    custom_edit_url: null,
  };
  const text =
    "The functions, classes and constants of each package, by what they are imported from. Types are on the pages.";
  return `${frontMatter(head)}\n${text}\n\n${blocks.join("\n\n")}\n`;
}

const frontMatter = (fields) =>
  `---\n${Object.entries(fields)
    .map(([key, value]) => `${key}: ${JSON.stringify(value)}\n`)
    .join("")}---\n`;
