// Files made from the built site: each page as Markdown beside its HTML, llms.txt and llms-full.txt, and the service worker
// with its list of files.
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { fullText, markdownPages, writtenApi } from "./markdown.mjs";
import { pages } from "./pages.mjs";

const site = fileURLToPath(new URL("..", import.meta.url));
const build = join(site, "build");
const base =
  /href="?(\/[^"\s>]*?)assets\/css\//.exec(readFileSync(join(build, "index.html"), "utf8"))?.[1] ?? "/";
const origin = /<loc>(https?:\/\/[^/<]*)/.exec(readFileSync(join(build, "sitemap.xml"), "utf8"))?.[1] ?? "";

const markdown = markdownPages(writtenApi(), `${origin}${base}`);
for (const { path, markdown: text } of markdown) {
  const folder = join(build, path);
  if (!existsSync(join(folder, "index.html")))
    throw new Error(`${path} has Markdown, and no page: ${folder}`);
  writeFileSync(join(folder, "index.md"), text);
}
// Generated index pages have no source: their Markdown lists the pages below them.
for (const file of readdirSync(build, { recursive: true, encoding: "utf8" })) {
  const path = `/${file.replaceAll("\\", "/").replace(/index\.html$/, "")}`;
  const at = join(build, path, "index.md");
  if (
    !/^\/(learn|guides|reference|proof|packages|api)\/.*index\.html$/.test(
      `/${file.replaceAll("\\", "/")}`,
    ) ||
    existsSync(at)
  )
    continue;
  const below = markdown.filter((page) => page.path.startsWith(path) && !page.path.includes("/CHANGELOG/"));
  if (below.length === 0) throw new Error(`${path} is a page, and has no Markdown`);
  const [, title] = /<title[^>]*>([^<|]*)/.exec(readFileSync(join(build, file), "utf8"));
  const links = below.map((page) => `- [${page.title}](${origin}${base}${page.path.slice(1)}index.md)`);
  writeFileSync(at, `# ${title.trim()}\n\n${links.join("\n")}\n`);
}
const full = fullText(markdown, `${origin}${base}`);
writeFileSync(join(build, "llms-full.txt"), full);
writeFileSync(join(build, "AGENTS.md"), readFileSync(join(site, "../../packages/cli/AGENTS.md"), "utf8"));

const all = readdirSync(build, { recursive: true, encoding: "utf8", withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) =>
    join(entry.parentPath, entry.name)
      .slice(build.length + 1)
      .replaceAll("\\", "/"),
  )
  .filter((file) => file !== "sw.js");

// Precaches everything except the list of functions, which is most of the pages and is cached on the first visit, and
// third-party libraries, which are loaded on demand.
const precached = all
  .filter(
    (file) =>
      !file.startsWith("api/") && !file.startsWith("live/peers/") && !/\.(map|md|xml|txt)$/.test(file),
  )
  .map((file) => file.replace(/(^|\/)index\.html$/, "$1"));
const version = createHash("sha256");
for (const file of all) version.update(file).update(readFileSync(join(build, file)));
const worker = readFileSync(join(site, "src/offline/service-worker.js"), "utf8");
writeFileSync(
  join(build, "sw.js"),
  worker
    .replace("VERSION", version.digest("hex").slice(0, 12))
    .replace("FILES;", `${JSON.stringify(precached)};`),
);

// https://llmstxt.org: the contents of the site for language models.
const sections = [
  ["Learn", "/learn/"],
  ["Guides", "/guides/"],
  ["Reference", "/reference/"],
  ["Proof", "/proof/"],
];
const listed = sections.map(([name, start]) => {
  const lines = pages()
    .filter(({ path }) => path.startsWith(start))
    .map(({ path, title, text }) => {
      const says = /^description: (.*)$/m.exec(text)?.[1]?.replace(/^"|"$/g, "") ?? "";
      return `- [${title}](${origin}${base}${path.slice(1)}index.md)${says ? `: ${says}` : ""}`;
    });
  return `## ${name}\n\n${lines.join("\n")}\n`;
});
writeFileSync(
  join(build, "llms.txt"),
  `# qkv\n\n> Composable attention for TypeScript: small npm packages, and a site on which every claim runs.\n\n` +
    `Install \`@qkv/attention\` and \`@qkv/tensor\`. \`attention(query, key, value, { mask: causal() })\` takes query [B, H, T, D], ` +
    `key and value [B, Hkv, S, D], and returns [B, H, T, Dv]. Or install \`qkv\`, which has the names of all packages.\n\n` +
    `[AGENTS.md](${origin}${base}AGENTS.md) tells how to build with the packages; [llms-full.txt](${origin}${base}llms-full.txt) has ` +
    `all pages and the API in one file. Each package's README is below ${origin}${base}packages/, and its API below ${origin}${base}api/; ` +
    `each page is Markdown at its address with \`index.md\` appended.\n\n` +
    listed.join("\n"),
);
console.log(
  `${precached.length} files are precached for a day without a network; llms.txt lists ${pages().length} pages; ${markdown.length} pages are ` +
    `Markdown too, llms-full.txt has ${Math.round(full.length / 1000)} kB`,
);
