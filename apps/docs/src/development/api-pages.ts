import docs, { type PluginOptions } from "@docusaurus/plugin-content-docs";
import type { LoadContext } from "@docusaurus/types";
import { join } from "node:path";

/** The file that `build-api.mjs` writes after all pages. */
const written = (siteDir: string) => join(siteDir, ".cache/api/written");

/**
 * A page for each entry point of each package. Under `npm start` they are written while the server runs: they are read again once,
 * when all are there, and not after each of a hundred files.
 */
export default async function apiPages(context: LoadContext, options: PluginOptions) {
  const plugin = await docs(context, options);
  if (process.env.NODE_ENV !== "development") return plugin;
  return { ...plugin, getPathsToWatch: () => [written(context.siteDir)] };
}
export { validateOptions } from "@docusaurus/plugin-content-docs";
