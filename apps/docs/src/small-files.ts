import { createRequire } from "node:module";
import type { PluginModule } from "@docusaurus/types";

type Rule = { test?: RegExp; use?: unknown; type?: string; generator?: object };
type FontFace = {
  name: string;
  walkDecls(property: string, change: (declaration: { value: string }) => void): void;
};

/** Docusaurus's own initialization of Prism, on every page. */
const startsPrism = createRequire(createRequire(import.meta.url).resolve("@docusaurus/preset-classic"))
  .resolve("@docusaurus/theme-classic/lib/prism-include-languages")
  .replace(/\.js$/, "");

const woff2 = /url\([^)]*\) format\("woff2"\)/;

/** Keeps one font format that all supported browsers read. */
const woff2Alone = {
  postcssPlugin: "woff2-alone",
  AtRule: {
    "font-face": (face: FontFace) =>
      face.walkDecls("src", (source) => {
        source.value = woff2.exec(source.value)?.[0] ?? source.value;
      }),
  },
};

/**
 * Excludes code of only some pages from the files that every page loads: CodeMirror, the fonts of formulas, and Prism, whose
 * highlighting is in the prerendered HTML.
 */
export const smallFiles: PluginModule = () => ({
  name: "small-files",
  configureWebpack(config, isServer) {
    // Fonts are separate files, loaded for formulas. Docusaurus would inline small ones in the style sheet.
    const fonts = (config.module!.rules as Rule[]).find(({ test }) => test?.test("a.woff2"))!;
    delete fonts.use;
    fonts.type = "asset/resource";
    fonts.generator = { filename: "assets/fonts/[name]-[contenthash][ext]", emit: !isServer };
    return isServer
      ? {}
      : {
          optimization: { splitChunks: { cacheGroups: { common: false } } },
          resolve: { alias: { [startsPrism]: false } },
        };
  },
  configurePostCss(options) {
    options.plugins.push(woff2Alone);
    return options;
  },
});
