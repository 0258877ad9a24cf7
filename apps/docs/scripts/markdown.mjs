// The pages of the site as Markdown: for "Copy as Markdown", llms-full.txt, language models and other programs. Live
// examples become code, components become text.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { publicPackages } from "../../../scripts/packages.mjs";
import { standaloneCode } from "../src/live/standalone-code.ts";
import { pages } from "./pages.mjs";

const site = fileURLToPath(new URL("..", import.meta.url));
const examples = join(site, "examples");

/** Text in place of components that render data. */
const drawn = {
  CatalogueTable: "The page has the table of all mechanisms, from `@qkv/attention/catalogue`.",
  CourseList: "The page has the list of lessons.",
  LabsTable: "The page has the table of questions and their lessons.",
  BenchmarkTables: "The page has the tables of measurements.",
  GpuCheck: "The page has buttons that run the check on this device.",
  TrainingInTab: "The page has a button that trains a small model in the tab, with its curve.",
  ModelGallery: "The page has the gallery of architectures.",
};

/**
 * Converts the source of a page to self-contained Markdown.
 *
 * @param {string} source - MDX, or Markdown.
 * @param {string} [root] - Address of the site, prepended to links to its pages. Default: "/".
 * @returns {string}
 */
export function toMarkdown(source, root = "/") {
  const text = source.replace(/\r\n/g, "\n").replace(/^---\n.*?\n---\n/s, "");
  // Code blocks are unchanged.
  const parts = text.split(/^(```[^\n]*\n.*?^```[ \t]*$)/gms);
  const converted = parts.map((part) => (part.startsWith("```") ? fence(part) : prose(part, root)));
  return `${converted
    .join("")
    .replace(/\n{3,}/g, "\n\n")
    .trim()}\n`;
}

/** A code fence without this site's words after its language. */
const fence = (block) => block.replace(/^```(\w+) [^\n]*/, "```$1");

function prose(text, root) {
  return (
    text
      .replace(/^import .* from "[^"]*";\n/gm, "")
      .replace(/^### (\S+) \{\/\* #\S+ \*\/\}$/gm, "### $1")
      .replace(/\{\/\*.*?\*\/\}\n?/gs, "")
      .replace(/<Live example="([\w-]+)" \/>/g, (_, name) =>
        code(standaloneCode(readFileSync(join(examples, `${name}.ts`), "utf8"))),
      )
      .replace(/<Declaration code=\{("(?:[^"\\]|\\.)*")\}.*?\/>/gs, (_, json) => code(JSON.parse(json)))
      .replace(/<NameIndex groups=.*\/>\n?/g, "")
      .replace(/<\/?(Fold|Predict|LessonBar)\b[^>]*>\n?/g, "")
      .replace(
        /<Choice says=("[^"]*")( right)?>/g,
        (_, says, right) => `**${JSON.parse(says)}**${right ? " (Right.)" : ""}`,
      )
      .replace(/<\/Choice>\n?/g, "")
      .replace(/<Figure name="([\w-]+)"[^>]*\/>/g, "*The page has an animated figure here: $1.*")
      .replace(/<(Q|K|V|Term)\b[^>]*>(.*?)<\/\1>/gs, "$2")
      // Not in code, whose text must stay.
      .replace(
        /`[^`\n]+`|<(\w+)\b[^>]*\/>/g,
        (tag, name) => drawn[name] ?? (/^[A-Z]/.test(name ?? "") ? "" : tag),
      )
      .replace(/<wbr ?\/>/g, "")
      // Escapes that MDX requires and Markdown does not.
      .replace(/\\([{}<])/g, "$1")
      .replace(
        /\]\(\/([\w@/.-]*\/)(#[^)]*)?\)/g,
        (_, path, anchor = "") => `](${root}${path}index.md${anchor})`,
      )
  );
}

const code = (text) => `\`\`\`ts\n${text.trimEnd()}\n\`\`\``;

/**
 * All pages of the site as Markdown, in the order of importance for a reader with a limited context: packages, their API,
 * guides, reference, lessons, proof.
 *
 * @param {Map<string, string>} api - The API pages by file, as `apiPages` writes them.
 * @param {string} [root]
 * @returns {{ path: string, title: string, markdown: string }[]} `path`: "/learn/causal/".
 */
export function markdownPages(api, root) {
  const page = (path, title, source) => ({ path, title, markdown: toMarkdown(source, root) });
  const packages = publicPackages().flatMap(({ name, folder }) =>
    [
      ["README.md", "", name],
      ["CHANGELOG.md", "CHANGELOG/", `Changes of ${name}`],
    ]
      .filter(([file]) => existsSync(join(folder, file)))
      .map(([file, place, title]) =>
        page(`/packages/${basename(folder)}/${place}`, title, readFileSync(join(folder, file), "utf8")),
      ),
  );
  const entries = [...api].map(([file, text]) => {
    const title = file.replace(/(\/?index)?\.mdx$/, "");
    const named = text.replace(/^---\n.*?\n---\n/s, "# Every function\n\n");
    return title === ""
      ? page("/api/", "Every function", named)
      : page(`/api/${title}/`, `API of ${title}`, shortened(text));
  });
  const written = [...pages(), ...generatedPages()].map(({ path, title, text }) => page(path, title, text));
  const at = (start) => written.filter(({ path }) => path.startsWith(start));
  return [
    ...packages,
    ...entries,
    ...at("/guides/"),
    ...at("/reference/"),
    ...at("/learn/"),
    ...at("/proof/"),
  ];
}

/** Generated pages of the reference: refusals, and the path of a call. */
function generatedPages() {
  const files = readdirSync(join(site, "reference"), { recursive: true, encoding: "utf8" });
  return files
    .filter((file) => file.endsWith(".md"))
    .map((file) => {
      const text = readFileSync(join(site, "reference", file), "utf8");
      const title = /^title: "?([^"\n]*)/m.exec(text)[1];
      const path = `/reference/${file.replaceAll("\\", "/").replace(/\.md$/, "")}/`;
      return { path, title, text: `# ${title}\n\n${text.replace(/^---\n.*?\n---\n/s, "")}` };
    });
}

/** Names that another package exports are shortened to a line each. */
const shortened = (text) =>
  text.replace(
    /^### (\S+) \{\/\* #\S+ \*\/\}\n\nFrom \[(`[^`]*`)\]\(([^)]*)\)\.\n/gm,
    "- `$1` of [$2]($3)\n",
  );

/** The API pages that `build-api.mjs` wrote, by file. */
export function writtenApi() {
  const folder = join(site, ".cache/api");
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) =>
    file.endsWith(".mdx"),
  );
  return new Map(
    files.sort().map((file) => [file.replaceAll("\\", "/"), readFileSync(join(folder, file), "utf8")]),
  );
}

/**
 * Everything needed to write a program, in one text: AGENTS.md of the package, the READMEs and the API, the guides and the
 * reference. Lessons, changes and the tables of refusals are only listed in llms.txt: https://llmstxt.org.
 *
 * @param {ReturnType<typeof markdownPages>} list
 * @param {string} [root]
 */
export function fullText(list, root = "/") {
  const agents = readFileSync(join(site, "../../packages/cli/AGENTS.md"), "utf8");
  const left = /\/CHANGELOG\/|^\/api\/$|^\/reference\/(refusals|path-of-a-call)\/|^\/(learn|proof)\//;
  const included = list.filter(({ path }) => !left.test(path));
  return [
    agents,
    ...included.map(({ path, markdown }) => `<!-- ${root}${path.slice(1)} -->\n\n${markdown}`),
  ].join("\n");
}
