import type { Options as DocsOptions } from "@docusaurus/plugin-content-docs";
import type * as Preset from "@docusaurus/preset-classic";
import type { Config } from "@docusaurus/types";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import rehypeKatex from "rehype-katex";
import remarkMath from "remark-math";
import { codeTheme } from "./src/live/code-theme";
import { pageTemplate } from "./src/page-template";
import glossaryTerms from "./src/remark/glossary-terms";
import formulaScroll from "./src/remark/formula-scroll";
import lessonBar from "./src/remark/lesson-bar";
import liveExample from "./src/remark/live-example";
import { examplesInDevelopment } from "./src/development/examples-in-development";
import { sourcesInDevelopment } from "./src/development/sources-in-development";
import { searchInDevelopment } from "./src/search/search-in-development";
import { smallFiles } from "./src/small-files";

// The path of the site on its host. `npm start` serves it at the root.
const baseUrl = process.env.QKV_BASE_URL ?? (process.env.NODE_ENV === "development" ? "/" : "/qkv/");

const packageOf = (folder: string): { description: string } =>
  JSON.parse(readFileSync(new URL(`../../packages/${folder}/package.json`, import.meta.url), "utf8"));

const { published }: { published: boolean } = JSON.parse(
  readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
);

const config: Config = {
  title: "qkv",
  tagline: "Composable attention for TypeScript. Every claim on this site runs.",
  favicon: "img/favicon.svg",
  url: process.env.QKV_SITE_URL ?? "https://qkv-js.github.io",
  baseUrl,
  trailingSlash: true,
  future: { v4: true, faster: true },
  ssrTemplate: pageTemplate,
  baseUrlIssueBanner: false, // it would be visible until the scripts run
  onBrokenLinks: "throw",
  onBrokenAnchors: "throw",
  onDuplicateRoutes: "throw",
  markdown: {
    format: "detect",
    hooks: { onBrokenMarkdownLinks: "throw", onBrokenMarkdownImages: "throw" },
    // READMEs have no front matter: their descriptions come from package.json.
    parseFrontMatter: async (file) => {
      const parsed = await file.defaultParseFrontMatter(file);
      const folder = /packages[/\\]([\w-]+)[/\\]README\.md$/.exec(file.filePath)?.[1];
      if (folder) parsed.frontMatter.description = packageOf(folder).description;
      return parsed;
    },
  },
  i18n: { defaultLocale: "en", locales: ["en"] },
  clientModules: ["./src/no-prefetch.ts", "./src/offline/register.ts"],
  headTags: [
    // Without JavaScript, text that a prediction hides must be readable.
    {
      tagName: "noscript",
      attributes: {},
      innerHTML:
        "<style>[data-explanation]{display:block!important}[data-covered] *{visibility:visible!important}[data-covered]::after{display:none}[data-change]{display:none}</style>",
    },
  ],
  presets: [
    [
      "classic",
      {
        docs: {
          path: "lessons",
          routeBasePath: "learn",
          sidebarPath: "./lessons-sidebar.ts",
          breadcrumbs: false,
          remarkPlugins: [remarkMath, liveExample, glossaryTerms, lessonBar],
          rehypePlugins: [rehypeKatex, formulaScroll],
        },
        blog: false,
        theme: {
          customCss: [
            createRequire(import.meta.url).resolve("katex/dist/katex.min.css"),
            createRequire(import.meta.url).resolve("explorer/colors.css"),
            "./src/css/custom.css",
          ],
        },
      } satisfies Preset.Options,
    ],
  ],
  plugins: [
    smallFiles,
    searchInDevelopment,
    sourcesInDevelopment,
    examplesInDevelopment,
    // A page for each family of operations and each mechanism.
    [
      "@docusaurus/plugin-content-docs",
      {
        id: "reference",
        path: "reference",
        routeBasePath: "reference",
        sidebarPath: "./reference-sidebar.ts",
        breadcrumbs: false,
        remarkPlugins: [remarkMath, liveExample],
        rehypePlugins: [rehypeKatex, formulaScroll],
      } satisfies DocsOptions,
    ],
    // Task guides, and evidence.
    ...["guides", "proof"].map((name): [string, DocsOptions] => [
      "@docusaurus/plugin-content-docs",
      {
        id: name,
        path: name,
        routeBasePath: name,
        breadcrumbs: false,
        remarkPlugins: [remarkMath, liveExample],
        rehypePlugins: [rehypeKatex, formulaScroll],
      },
    ]),
    [
      "./src/package-pages.ts",
      {
        id: "packages",
        path: ".cache/packages",
        routeBasePath: "packages",
        sidebarPath: "./packages-sidebar.ts",
        breadcrumbs: false,
      } satisfies DocsOptions,
    ],
    // A page for each entry point of each package, written by scripts/build-api.mjs.
    [
      "./src/development/api-pages.ts",
      {
        id: "api",
        path: ".cache/api",
        routeBasePath: "api",
        sidebarPath: "./api-sidebar.ts",
        breadcrumbs: false,
      } satisfies DocsOptions,
    ],
  ],
  themes: [
    [
      "@easyops-cn/docusaurus-search-local",
      {
        hashed: process.env.NODE_ENV !== "development", // to hash the pages would delay `npm start` by seconds
        indexBlog: false,
        docsRouteBasePath: ["learn", "guides", "reference", "proof", "packages", "api"],
        docsDir: ["lessons", "guides", "reference", "proof", ".cache/packages", ".cache/api"],
        searchBarShortcutHint: false,
      },
    ],
  ],
  themeConfig: {
    colorMode: { respectPrefersColorScheme: true },
    ...(!published && {
      announcementBar: {
        id: "not-published",
        isCloseable: false,
        content:
          'Not on npm yet: until the first release, <a href="https://github.com/qkv-js/qkv#install-from-a-clone">install from a clone</a>.',
      },
    }),
    navbar: {
      items: [
        { to: "/learn/", label: "Learn", activeBasePath: "learn", position: "left" },
        { to: "/guides/", label: "Guides", activeBaseRegex: "/(guides|packages)/", position: "left" },
        { to: "/reference/", label: "Reference", activeBaseRegex: "/(reference|api)/", position: "left" },
        { to: "/explore/", label: "Explore", position: "left" },
        { to: "/proof/", label: "Proof", activeBasePath: "proof", position: "left" },
        { href: "https://github.com/qkv-js/qkv", label: "Source", position: "right" },
      ],
    },
    footer: {
      copyright:
        "qkv is MIT licensed. The code on these pages runs on your device; nothing you type leaves it.",
    },
    prism: { theme: codeTheme, darkTheme: codeTheme, additionalLanguages: ["diff"] },
  } satisfies Preset.ThemeConfig,
};

export default config;
