// The handwritten pages: path, title and source, as in the site's configuration.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const site = fileURLToPath(new URL("..", import.meta.url));
// The folder, and the path prefix of its pages.
const sections = [
  ["lessons", "/learn/"],
  ["reference", "/reference/"],
  ["guides", "/guides/"],
  ["proof", "/proof/"],
];

/** @returns {{ path: string; title: string; text: string; file: string }[]} */
export function pages() {
  return sections.flatMap(([folder, base]) => {
    if (!existsSync(join(site, folder))) return [];
    return readdirSync(join(site, folder), { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".mdx"))
      .map((file) => {
        const text = readFileSync(join(site, folder, file), "utf8");
        const field = (name) => new RegExp(`^${name}: (.*)$`, "m").exec(text)?.[1]?.replace(/^"|"$/g, "");
        const defaultSlug = file
          .replaceAll("\\", "/")
          .replace(/\.mdx$/, "")
          .replace(/(^|\/)index$/, "$1");
        const path = `${base}${field("slug") ?? defaultSlug}/`.replace(/\/+/g, "/");
        return { path, title: field("title") ?? defaultSlug, text, file: `${folder}/${file}` };
      });
  });
}
