// The pages of the built site: paths, live examples, and the bytes of JavaScript that each loads initially.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

/** Gzipped bytes of scripts that a page may load before any interaction. */
export const mostJavaScript = 200_000;

/** Gzipped bytes of style sheets that block the first paint of a page. */
export const mostStyles = 40_000;

/**
 * @returns {{ path: string, html: string, examples: string[], javaScript: number, styles: number }[]} `javaScript`,
 *   `styles`: gzipped bytes.
 */
export function pagesOf(build) {
  const sizes = new Map();
  const sizeOf = (file) => {
    if (!sizes.has(file)) sizes.set(file, gzipSync(readFileSync(join(build, file)), { level: 9 }).length);
    return sizes.get(file);
  };
  return readdirSync(build, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith("index.html"))
    .map((file) => {
      const path = file.slice(0, -"index.html".length).replaceAll("\\", "/");
      const html = readFileSync(join(build, file), "utf8");
      const gzippedOf = (pattern) => {
        const files = new Set([...html.matchAll(pattern)].map(([, file]) => file));
        return [...files].reduce((sum, file) => sum + sizeOf(file), 0);
      };
      return {
        path,
        html,
        examples: [...html.matchAll(/data-live="?([\w-]+)/g)].map(([, name]) => name),
        // Scripts of the page, and preloaded ones.
        javaScript: gzippedOf(/(?:src|href)="?[^"\s>]*?(assets\/js\/[^"\s>]+\.js)/g),
        styles: gzippedOf(/<link rel="?stylesheet"? href="?[^"\s>]*?(assets\/css\/[^"\s>]+\.css)/g),
      };
    });
}

/**
 * Clicks from the landing page to each page, following links in the prerendered HTML.
 *
 * @param {{ path: string, html: string }[]} pages
 * @returns {Map<string, number>} Clicks by path, without unreachable pages.
 */
export function clicksTo(pages) {
  const known = new Map(pages.map((page) => [page.path, page]));
  const base =
    /<a [^>]*class="?[^">]*navbar__brand[^>]*href="?([^"\s>]+)|href="?([^"\s>]+)"? class="?navbar__brand/.exec(
      known.get("").html,
    );
  const root = base?.[1] ?? base?.[2] ?? "/";
  const clicks = new Map([["", 0]]);
  for (const [path, distance] of clicks) {
    for (const [, href] of known.get(path).html.matchAll(/<a [^>]*href="?([^"\s>#]+)/g)) {
      const to = href.startsWith(root) ? href.slice(root.length) : undefined;
      if (to !== undefined && known.has(to) && !clicks.has(to)) clicks.set(to, distance + 1);
    }
  }
  return clicks;
}
