export const about =
  "10,000 random sequences of operations on each kind of cache, against lists of arrays (about 15 minutes).";

export const steps = [{ name: "caches", command: ["node", "scripts/caches/run.mjs"], counts: true }];
