import docs, { type PluginOptions } from "@docusaurus/plugin-content-docs";
import type { LoadContext } from "@docusaurus/types";
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const withoutPages = ["page", "test-support"];
const pagesIn = (folder: string) => globSync("*/{README,CHANGELOG}.md", { cwd: folder });

/** Copies the pages of packages to a folder, and removes what is there of packages that are no more. */
function copyPages(packages: string, to: string) {
  const pages = pagesIn(packages).filter((page) => !withoutPages.includes(dirname(page)));
  for (const page of pages) {
    const [text, copy] = [readFileSync(join(packages, page), "utf8"), join(to, page)];
    if (existsSync(copy) && readFileSync(copy, "utf8") === text) continue;
    mkdirSync(dirname(copy), { recursive: true });
    writeFileSync(copy, text);
  }
  for (const page of pagesIn(to)) if (!pages.includes(page)) rmSync(join(to, page));
  return pages.map((page) => join(packages, page));
}

/**
 * README and CHANGELOG of each package, from copies: Docusaurus searches all folders of its path for files of categories, and
 * watches them, so that in `packages` it would follow the links in node_modules to every dependency.
 */
export default async function packagePages(
  context: LoadContext,
  options: PluginOptions,
): ReturnType<typeof docs> {
  const packages = join(context.siteDir, "../../packages");
  const copy = () => copyPages(packages, join(context.siteDir, options.path));
  const pages = copy();
  const plugin = await docs(context, options);
  return {
    ...plugin,
    loadContent: () => (copy(), plugin.loadContent!()),
    getPathsToWatch: () => pages,
  };
}
export { validateOptions } from "@docusaurus/plugin-content-docs";
