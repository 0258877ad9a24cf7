export const about =
  "Every page and every figure of the site as a reader meets them: two widths, light and dark, axe, Chromium and Firefox; every example and change in Node; the first page, a lesson and models in workers in WebKit; pictures of pages and of the figures' key frames are kept (about 90 minutes).";
export const steps = [
  { name: "site", command: ["turbo", "run", "build", "--filter=docs"] },
  {
    name: "examples and changes in Node",
    command: ["vitest", "run", "apps/docs/examples.test.ts", "apps/docs/changes.test.ts"],
    counts: true,
  },
  { name: "WebKit", command: ["node", "apps/docs/scripts/walk-webkit.mjs"], counts: true },
  { name: "figures", command: ["node", "apps/docs/scripts/walk-figures.mjs"], counts: true },
  { name: "key frames", command: ["node", "scripts/figure-frames.mjs"], counts: true },
  { name: "pages", command: ["node", "apps/docs/scripts/walk.mjs"], counts: true },
];
