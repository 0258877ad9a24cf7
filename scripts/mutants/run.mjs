// Puts one bug at a time into a copy of @qkv/attention and runs its tests: first those beside the file, then all. A bug
// that no test notices is a failure, and so is one that no longer fits the source.
//   node scripts/mutants/run.mjs [WORDS OF ITS NAME]
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { mutants } from "./attention.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));
const copy = mkdtempSync(join(tmpdir(), "qkv-mutants-"));
const wanted = process.argv.slice(2).join(" ");
const chosen = mutants.filter(({ what }) => what.includes(wanted));
const counts = { passed: 0, failed: 0 };

/** The numbers of tests that passed and failed; a file that does not load has none, so that it cannot count as a kill. */
function test(...files) {
  const vitest = join(root, "node_modules/vitest/vitest.mjs");
  const args = [vitest, "run", "--project", "node", "--bail", "1", ...files];
  const env = { ...process.env, NO_COLOR: "1", FORCE_COLOR: "0" };
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { cwd: copy, env, encoding: "utf8" });
  const [, line = ""] = /^\s*Tests\s+(.*)$/m.exec(stdout) ?? [];
  const number = (word) => Number(new RegExp(`(\\d+) ${word}`).exec(line)?.[1] ?? 0);
  return { passed: number("passed"), failed: number("failed"), status, output: stdout + stderr };
}

function report(passed, text) {
  counts[passed ? "passed" : "failed"] += 1;
  console.log(`${passed ? "killed" : "FAILED"}: ${text}`);
}

try {
  const left = new Set(["node_modules", "dist", ".types", "coverage"]);
  for (const path of ["packages", "scripts", "vitest.config.ts", "package.json", "tsconfig.base.json"]) {
    const filter = (from) => !left.has(from.split(/[\\/]/).at(-1));
    cpSync(join(root, path), join(copy, path), { recursive: true, filter });
  }
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"), "junction");

  const all = "packages/attention/src/";
  const untouched = test(all);
  if (untouched.status !== 0 || untouched.passed === 0) {
    console.log(untouched.output);
    throw new Error("mutants: the tests do not pass before any bug is put in.\nFix: make them pass first.");
  }
  console.log(`${untouched.passed} tests pass on the source as it is.`);

  for (const { file, find, replace, what } of chosen) {
    const path = join(copy, all, file);
    const source = readFileSync(path, "utf8");
    const places = source.split(find).length - 1;
    if (places !== 1 || find === replace) {
      report(false, `${what} (${file}): its text occurs ${places} times in the source; it must occur once.`);
      continue;
    }
    writeFileSync(
      path,
      source.replace(find, () => replace),
    );
    const start = Date.now();
    const beside = all + file.replace(/\.ts$/, ".test.ts");
    const near = existsSync(join(copy, beside))
      ? [beside]
      : [`${all}attention.test.ts`, `${all}plain-attention.test.ts`];
    let result = test(...near);
    const whole = result.failed === 0;
    if (whole) result = test(all);
    const seconds = ((Date.now() - start) / 1000).toFixed(0);
    if (result.failed > 0)
      report(true, `${what} (${file}${whole ? ", by tests elsewhere" : ""}; ${seconds} s)`);
    else if (result.status === 0) report(false, `${what} (${file}): no test notices it.`);
    else report(false, `${what} (${file}): no test ran.\n${result.output.slice(-2000)}`);
    writeFileSync(path, source);
  }
} finally {
  rmSync(copy, { recursive: true, force: true });
}
console.log(`${counts.passed} passed, ${counts.failed} failed`);
process.exitCode = counts.failed === 0 && counts.passed > 0 ? 0 : 1;
