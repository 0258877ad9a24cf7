export const about =
  "Stryker: small changes of operators and constants in a few files of core, attention-contract and cost, and how many their tests notice.";

export const steps = [{ name: "stryker", command: ["node", "scripts/stryker/run.mjs"], counts: true }];
