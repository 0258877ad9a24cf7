export const about =
  "Bugs of convention put into the packages one at a time; their tests must notice each (about an hour).";
export const takes = "[PACKAGE]";

export const steps = (words) => [
  { name: "mutants", command: ["node", "scripts/mutants/run.mjs", ...words], counts: true },
];
