export const about =
  "Benchmarks: every row beside the peers, on an otherwise idle machine; tables on stdout.";
export const steps = [{ name: "benchmarks", command: ["node", "scripts/bench.mjs"] }];
