// npm run test:changed [-- COMMIT]: the tests nearest to the changes since main, or since a commit, in the first tier, and what
// is left to `npm test`.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { nearestTests } from "./nearest-tests.mjs";
import { allPackages } from "./packages.mjs";

const root = fileURLToPath(new URL("../", import.meta.url));
const lines = (...args) => {
  const { stdout, stderr, status } = spawnSync("git", args, { cwd: root, encoding: "utf8" });
  if (status !== 0) {
    console.error(
      `test:changed: git ${args.join(" ")} failed.\n${stderr}Fix: name a branch or commit, as npm run test:changed -- HEAD.`,
    );
    process.exit(1);
  }
  return stdout.split("\n").filter(Boolean);
};
const [since = "main"] = process.argv.slice(2);
const [base] = lines("merge-base", since, "HEAD");
const changed = [
  ...lines("diff", "--name-only", "--no-renames", base),
  ...lines("ls-files", "--others", "--exclude-standard"),
].filter((file) => /\.(tsx?|mjs|mts|css|json)$/.test(file));
const tests = [...new Set(lines("ls-files", "--cached", "--others", "--exclude-standard", "*.test.ts"))];
// Tests in tests/ use the built packages.
const { near, far, untested } = nearestTests(
  changed,
  tests.filter((file) => !file.startsWith("tests/")),
);

const touched = allPackages().filter(({ folder }) =>
  changed.some((file) => `${root}${file}`.startsWith(`${folder}/`)),
);
const users = allPackages().filter(({ folder, name }) => {
  const { dependencies = {} } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
  return !touched.some((one) => one.name === name) && touched.some((one) => one.name in dependencies);
});
const left = [
  ...(far.length > 0 ? [`${far.length} more test files of the same packages`] : []),
  ...(users.length > 0 ? [`those of ${users.map(({ name }) => name).join(", ")}, which import them`] : []),
  "tests/ and conformance/, as far as they did not change",
];
let status = 0;
if (near.length > 0) {
  const vitest = fileURLToPath(new URL("../node_modules/vitest/vitest.mjs", import.meta.url));
  const args = [vitest, "run", "--project", "node", "--maxWorkers", "100%", ...near];
  const env = { ...process.env, QKV_TIER: "1" };
  ({ status } = spawnSync(process.execPath, args, { cwd: root, env, stdio: "inherit" }));
} else console.log(`No test is near a change since ${since}.`);
for (const file of untested) console.log(`${file}: no test in its folder or above it in its package.`);
console.log(`Left to npm test: ${left.join("; ")}.`);
process.exitCode = status ?? 1;
