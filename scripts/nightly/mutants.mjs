export const about =
  "Bugs of convention put into the packages one at a time; their tests must notice each (about an hour). A table at the end has the tier whose tests do.";
export const takes = "[PACKAGE] [-- --tier 1|2]";

export const steps = (words) => [
  { name: "mutants", command: ["node", "scripts/mutants/run.mjs", ...words], counts: true },
];
