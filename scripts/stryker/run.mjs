// Runs Stryker on a few files, and prints the surviving mutants, many of which are equivalent to the original. Fails if
// the score is lower than when the files were chosen.
import { Stryker } from "@stryker-mutator/core";
import { fileURLToPath } from "node:url";
import { mutated } from "./mutated.mjs";

/** The minimum score: percentage of killed mutants among those covered by tests. */
const least = 80;

process.chdir(fileURLToPath(new URL("../../", import.meta.url)));
const results = await new Stryker({
  mutate: mutated,
  testRunner: "vitest",
  plugins: ["@stryker-mutator/vitest-runner"],
  vitest: { configFile: "scripts/stryker/vitest.config.mjs" },
  coverageAnalysis: "perTest",
  // Mutants of code that runs once, at import, need a process each.
  ignoreStatic: true,
  // Type fixes of mutants would change line numbers, and vitest does not check types.
  disableTypeChecks: false,
  ignorePatterns: ["**/dist", "**/.types", "**/.turbo"],
  reporters: ["clear-text"],
  clearTextReporter: { reportTests: false, allowColor: false },
  concurrency: 2,
}).runMutationTest();
const count = (...statuses) => results.filter(({ status }) => statuses.includes(status)).length;
const [noticed, missed] = [count("Killed", "Timeout"), count("Survived", "NoCoverage")];
const score = (100 * noticed) / (noticed + missed);
console.log(
  `${noticed} of ${noticed + missed} mutants noticed: ${score.toFixed(1)} %, at least ${least} % expected`,
);
console.log(score >= least ? `${noticed} passed, 0 failed` : `${noticed} passed, ${missed} failed`);
process.exitCode = score >= least ? 0 : 1;
