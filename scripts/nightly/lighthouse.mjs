export const about =
  "Lighthouse over the first page and a lesson: performance 90, accessibility 100 (about 3 minutes).";
export const steps = [
  { name: "site", command: ["turbo", "run", "build", "--filter=docs"] },
  { name: "lighthouse", command: ["node", "apps/docs/scripts/lighthouse.mjs"], counts: true },
];
