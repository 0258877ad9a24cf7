// Lets Stryker mutate a few files and run their tests on each mutant. It prints the mutants that no test notices; many of
// them change nothing that anybody can see. Fails where fewer are noticed than on the day the files were chosen.
import { Stryker } from "@stryker-mutator/core";
import { fileURLToPath } from "node:url";
import { mutated } from "./mutated.mjs";

/** The least score. Unit: percent of the mutants that a test runs or should. */
const least = 80;

process.chdir(fileURLToPath(new URL("../../", import.meta.url)));
const results = await new Stryker({
  mutate: mutated,
  testRunner: "vitest",
  plugins: ["@stryker-mutator/vitest-runner"],
  vitest: { configFile: "scripts/stryker/vitest.config.mjs" },
  coverageAnalysis: "perTest",
  // Mutants of what runs once, at import, need a process each.
  ignoreStatic: true,
  // Fixes of the types of mutants would change line numbers, and vitest does not check types.
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
