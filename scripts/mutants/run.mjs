// Applies one mutant at a time to a copy of the packages and runs tests: first those beside the file, then all of the package.
// Fails for a surviving mutant, and for one whose pattern does not match the source. Each file in this folder has the
// mutants of the package with its name; mutate.mjs explains the patterns.
//   node scripts/mutants/run.mjs [PACKAGE] [--tier 1|2] [--from N] [WORDS OF ITS NAME]
//   `--tier`: 1 runs the tests of `npm test` only; 2, the default, then runs all tests for mutants that those do not notice.
//   `--from`: continues at the mutant with this number, as printed by an earlier run.
import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join, posix } from "node:path";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { mutate } from "./mutate.mjs";
import { noticed, runsFor, tierTable } from "./tiers.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));
const packages = readdirSync(join(root, "packages"))
  .filter((name) => existsSync(new URL(`${name}.mjs`, import.meta.url)))
  .sort();
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { from: { type: "string", default: "1" }, tier: { type: "string", default: "2" } },
});
if (!["1", "2"].includes(values.tier)) {
  console.error(
    `mutants: --tier is ${values.tier}, expected 1 or 2.\nFix: 1 runs the tests of npm test, 2 all.`,
  );
  process.exit(1);
}
const upTo = Number(values.tier);
const only = packages.includes(positionals[0]) ? positionals.shift() : undefined;
const wanted = positionals.join(" ");
const counts = { passed: 0, failed: 0 };
/** Mutants that met tests, each with the tier that noticed it. */
const met = [];
const copy = mkdtempSync(join(tmpdir(), "qkv-mutants-"));

/** Numbers of passed and failed tests. A file that does not load has none, so it does not count as killing a mutant. */
function test(files, tier) {
  const vitest = join(root, "node_modules/vitest/vitest.mjs");
  const args = [vitest, "run", "--project", "node", "--bail", "1", ...files];
  const env = { ...process.env, QKV_TIER: String(tier), NO_COLOR: "1", FORCE_COLOR: "0" };
  // A failing property may print megabytes.
  const options = { cwd: copy, env, encoding: "utf8", maxBuffer: Infinity };
  const { stdout, stderr, status } = spawnSync(process.execPath, args, options);
  const [, line = ""] = /^\s*Tests\s+(.*)$/m.exec(stdout) ?? [];
  const number = (word) => Number(new RegExp(`(\\d+) ${word}`).exec(line)?.[1] ?? 0);
  return { passed: number("passed"), failed: number("failed"), status, output: stdout + stderr };
}

const passing = new Set();

/** Runs tests on the unchanged source once: tests that fail there cannot kill a mutant. */
function testUntouched(files, tier) {
  const key = `${tier}: ${files.join()}`;
  if (passing.has(key)) return;
  const { status, passed, output } = test(files, tier);
  if (status !== 0 || passed === 0) {
    console.log(output);
    throw new Error(
      `mutants: ${files.join(", ")} does not pass before any bug is put in.\nFix: make it pass first.`,
    );
  }
  passing.add(key);
  console.log(`${passed} tests of tier ${tier} of ${files.join(", ")} pass on the source as it is.`);
}

function report(passed, text) {
  counts[passed ? "passed" : "failed"] += 1;
  console.log(`${passed ? "killed" : "FAILED"}: ${text}`);
}

/** Applies a mutant, runs tests, and restores the source. `build`: a command that builds what the tests run. */
function testWith({ path, source, changed, build }, files, tier) {
  testUntouched(files, tier);
  writeFileSync(path, changed);
  const built = build();
  const result = built.status === 0 ? test(files, tier) : { failed: 0, status: 1, output: built.stderr };
  writeFileSync(path, source);
  build();
  return result;
}

async function runPackage(name) {
  // `near`: tests to run first if the file has none beside it. Default: all of the package. `elsewhere`: tests outside
  // of the package to run last. `build`: a command that mutants outside of `src` need.
  const bugs = await import(new URL(`./${name}.mjs`, import.meta.url).href);
  const folder = `packages/${name}/`;
  const testsIn = (paths) => paths.map((path) => posix.join(folder, path));
  const all = testsIn(["src/", ...(bugs.elsewhere ?? [])]);
  for (const [i, bug] of bugs.mutants.entries()) {
    if (i + 1 < Number(values.from) || !bug.what.includes(wanted)) continue;
    const { file, near = bugs.near ?? ["src/"] } = bug;
    const what = `${i + 1} of ${bugs.mutants.length}, ${bug.what}`;
    const path = join(copy, folder, file);
    const source = readFileSync(path, "utf8");
    let changed;
    try {
      changed = mutate(source, bug);
    } catch ({ message }) {
      report(false, message);
      continue;
    }
    const start = Date.now();
    const build = () => {
      if (file.startsWith("src/")) return { status: 0 };
      const [command, ...args] = bugs.build;
      return spawnSync(command, args, { cwd: join(copy, folder), encoding: "utf8" });
    };
    const mutant = { path, source, changed, build };
    const beside = [".test.ts", ".slow.test.ts"]
      .map((end) => file.replace(/\.\w+$/, end))
      .filter((path) => existsSync(join(copy, folder, path)));
    const first = testsIn(!bug.near && beside.length > 0 ? beside : near);
    const rest = all.filter((tests) => !first.includes(tests));
    const result = noticed(runsFor({ first, rest }, upTo), (files, tier) => testWith(mutant, files, tier));
    met.push({ name: `${name}: ${bug.what} (${file})`, tier: result.tier });
    const seconds = ((Date.now() - start) / 1000).toFixed(0);
    if (result.tier)
      report(
        true,
        `${what} (${file}; tier ${result.tier}${result.elsewhere ? ", by tests elsewhere" : ""}; ${seconds} s)`,
      );
    else if (result.status === 0) report(false, `${what} (${file}): no test up to tier ${upTo} notices it.`);
    else report(false, `${what} (${file}): no test ran.\n${result.output.slice(-2000)}`);
  }
}

try {
  const left = new Set(["node_modules", "dist", ".types", "coverage"]);
  for (const path of [
    ...["packages", "scripts", "vitest.config.ts", "package.json", "tsconfig.base.json"],
    "templates", // which create-qkv copies
    "conformance", // some of the tests, and the reference data of all
    "benchmarks/peers", // which writes ONNX models for those tests
  ]) {
    const filter = (from) => !left.has(from.split(/[\\/]/).at(-1));
    cpSync(join(root, path), join(copy, path), { recursive: true, filter });
  }
  const packageFolders = readdirSync(join(root, "packages")).map((name) => `packages/${name}/`);
  // A few tests use the built packages, which are as they were before any bug.
  for (const folder of ["", "conformance/", ...packageFolders]) {
    for (const path of [`${folder}node_modules`, `${folder}dist`])
      if (existsSync(join(root, path))) symlinkSync(join(root, path), join(copy, path), "junction");
  }
  for (const name of only ? [only] : packages) await runPackage(name);
} finally {
  rmSync(copy, { recursive: true, force: true });
}
console.log(`\n${tierTable(met, upTo)}\n`);
console.log(`${counts.passed} passed, ${counts.failed} failed`);
process.exitCode = counts.failed === 0 && counts.passed > 0 ? 0 : 1;
