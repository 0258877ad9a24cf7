export const about =
  "Bugs of convention put into the packages one at a time; their tests must notice each (about 10 minutes).";
export const takes = "[PACKAGE]";

export const steps = (words) => [
  { name: "mutants", command: ["node", "scripts/mutants/run.mjs", ...words], counts: true },
];
