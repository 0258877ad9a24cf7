export const about =
  "The explorer in Chromium on the small model and on a random one of 100 million weights and 512 tokens: the first picture, feedback and cancel within 100 ms, results within 1.2 passes, memory, axe (about 5 minutes).";
export const steps = [
  { name: "build", command: ["turbo", "run", "build", "--filter=explorer"] },
  {
    name: "pages",
    command: ["node", "apps/docs/scripts/explorer-checks.mjs", "--limits"],
    counts: true,
  },
];
