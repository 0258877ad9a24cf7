export const about =
  "Bugs of convention put into @qkv/attention one at a time; its tests must notice each (about 5 minutes).";

export const steps = [{ name: "mutants", command: ["node", "scripts/mutants/run.mjs"], counts: true }];
