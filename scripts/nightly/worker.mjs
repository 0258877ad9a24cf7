export const about =
  "A random model of 100 million weights in a worker, in Chromium: the main thread answers within 16 ms at the 99th percentile while it generates, an abort ends a loop within 100 ms, three tabs hold the model once, and closing them frees it.";
export const steps = [
  { name: "build", command: ["turbo", "run", "build", "--filter=@qkv/worker"] },
  { name: "pages", command: ["node", "scripts/worker/pages.mjs", "--limits"], counts: true },
];
