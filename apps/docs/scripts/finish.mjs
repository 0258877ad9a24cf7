// What is made of the built site: the service worker with its list of files, and llms.txt.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { pages } from "./pages.mjs";

const site = fileURLToPath(new URL("..", import.meta.url));
const build = join(site, "build");
const all = readdirSync(build, { recursive: true, encoding: "utf8", withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) =>
    join(entry.parentPath, entry.name)
      .slice(build.length + 1)
      .replaceAll("\\", "/"),
  )
  .filter((file) => file !== "sw.js");

// Everything but the list of functions, which is most of the pages and is kept when it is read.
const kept = all
  .filter((file) => !file.startsWith("api/") && !/\.(map|xml|txt)$/.test(file))
  .map((file) => file.replace(/(^|\/)index\.html$/, "$1"));
const version = createHash("sha256");
for (const file of all) version.update(file).update(readFileSync(join(build, file)));
const worker = readFileSync(join(site, "src/offline/service-worker.js"), "utf8");
writeFileSync(
  join(build, "sw.js"),
  worker.replace("VERSION", version.digest("hex").slice(0, 12)).replace("FILES;", `${JSON.stringify(kept)};`),
);

// https://llmstxt.org: what is here, for those who read with a machine.
const base =
  /href="?(\/[^"\s>]*?)assets\/css\//.exec(readFileSync(join(build, "index.html"), "utf8"))?.[1] ?? "/";
const origin = /<loc>(https?:\/\/[^/<]*)/.exec(readFileSync(join(build, "sitemap.xml"), "utf8"))?.[1] ?? "";
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
      return `- [${title}](${origin}${base}${path.slice(1)})${says ? `: ${says}` : ""}`;
    });
  return `## ${name}\n\n${lines.join("\n")}\n`;
});
writeFileSync(
  join(build, "llms.txt"),
  `# qkv\n\n> Composable attention for TypeScript: small npm packages, and a site on which every claim runs.\n\n` +
    `Install \`@qkv/attention\` and \`@qkv/tensor\`. \`attention(query, key, value, { mask: causal() })\` takes query [B, H, T, D], ` +
    `key and value [B, Hkv, S, D], and returns [B, H, T, Dv]. Each package's README is below ${origin}${base}packages/.\n\n` +
    listed.join("\n"),
);
console.log(
  `${kept.length} files are kept for a day without a network; llms.txt lists ${pages().length} pages`,
);
