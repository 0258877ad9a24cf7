import type { PluginModule } from "@docusaurus/types";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { sourceOf } from "../../scripts/live/sources.mjs";

/** The sources of the packages' entry points, by name. */
function sources(siteDir: string): Record<string, string> {
  const packages = join(siteDir, "../../packages");
  const list = readdirSync(packages).flatMap((folder) => {
    const file = join(packages, folder, "package.json");
    const { name, exports = {} } = JSON.parse(readFileSync(file, "utf8")) as {
      name: string;
      exports?: Record<string, unknown>;
    };
    return Object.keys(exports).flatMap((entry) => {
      const source = sourceOf(join(name, entry).replaceAll("\\", "/"));
      return source ? [[`${join(name, entry).replaceAll("\\", "/")}$`, source] as const] : [];
    });
  });
  return Object.fromEntries(list);
}

/** Under `npm start`, pages import the sources of the packages: nothing is built, and an edit of a source shows. */
export const sourcesInDevelopment: PluginModule = ({ siteDir }) => ({
  name: "sources-in-development",
  configureWebpack(config, isServer, { currentBundler }) {
    if (config.mode !== "development" || isServer) return {};
    return {
      resolve: { alias: sources(siteDir), extensionAlias: { ".js": [".ts", ".tsx", ".js"] } },
      plugins: [new currentBundler.instance.DefinePlugin({ __VERSION__: JSON.stringify("source") })],
    };
  },
});
