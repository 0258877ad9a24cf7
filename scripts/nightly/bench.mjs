export const about =
  "Benchmarks: all rows, compared with other libraries, on an otherwise idle machine; prints tables.";
export const steps = [{ name: "benchmarks", command: ["node", "scripts/bench.mjs"] }];
