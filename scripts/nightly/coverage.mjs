export const about =
  "Coverage: at least 95 % of the lines of core, tensor, attention, kv-cache, tokenizer and cost, each by its own tests.";

const packages = ["core", "tensor", "attention", "kv-cache", "tokenizer", "cost"];
export const steps = packages.map((name) => ({
  name,
  command: [
    ...["vitest", "run", "--project", "node", `packages/${name}/`],
    ...["--coverage", `--coverage.include=packages/${name}/src/**`, "--coverage.thresholds.lines=95"],
    ...["--coverage.reporter=text-summary", "--coverage.reportsDirectory=coverage"],
  ],
  counts: true,
}));
