export const about =
  "Every page of the site as a reader sees it: two widths, light and dark, axe, Firefox; pictures are kept (about 25 minutes).";
export const steps = [
  { name: "site", command: ["turbo", "run", "build", "--filter=docs"] },
  { name: "walk", command: ["node", "apps/docs/scripts/walk.mjs"], counts: true },
];
