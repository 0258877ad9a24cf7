export const about =
  "Coverage: at least 95 % of the lines of each of core, tensor, attention-contract, attention, kv-cache, tokenizer and cost, by their unit tests.";

const packages = ["core", "tensor", "attention-contract", "attention", "kv-cache", "tokenizer", "cost"];
export const steps = [
  {
    name: "coverage",
    command: [
      ...["vitest", "run", "--project", "node", "--no-isolate", "--maxWorkers", "100%"],
      ...packages.map((name) => `packages/${name}/`),
      "--coverage",
      ...packages.map((name) => `--coverage.include=packages/${name}/src/**`),
      ...["--coverage.reporter=text-summary", "--coverage.reporter=json-summary"],
    ],
    counts: true,
  },
];
