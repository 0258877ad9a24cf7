export const about =
  "A clone of the last commit in an empty folder, with nothing beside it and empty caches: npm test passes there (about 15 minutes).";

export const steps = [{ name: "clone", command: ["node", "scripts/clone/run.mjs"], counts: true }];
