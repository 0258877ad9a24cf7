// Writes the public names and types of each package to its api.md: `npm run api` builds first, `node scripts/api.mjs
// --check` only compares. Both fail if a name was removed or its type changed and no changeset announces it. --base REF
// compares with the reports of a git commit. Needs built packages.
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { changesBetween, unannounced } from "./api/compare.mjs";
import { parseReport, readApi, writeReport } from "./api/report.mjs";
import { publicPackages } from "./packages.mjs";

const root = fileURLToPath(new URL("../", import.meta.url));
const args = process.argv.slice(2);
const check = args.includes("--check");
const base = args.includes("--base") ? args[args.indexOf("--base") + 1] : undefined;
const changesets = readdirSync(join(root, ".changeset"))
  .filter((file) => file.endsWith(".md") && file !== "README.md")
  .map((file) => readFileSync(join(root, ".changeset", file), "utf8"));

function before(path) {
  if (base === undefined) return existsSync(path) ? readFileSync(path, "utf8") : undefined;
  try {
    const file = relative(root, path).replaceAll("\\", "/");
    return execFileSync("git", ["show", `${base}:${file}`], { cwd: root, encoding: "utf8", stdio: "pipe" });
  } catch {
    return undefined;
  }
}

const counts = { passed: 0, failed: 0 };
for (const pkg of publicPackages()) {
  const path = join(pkg.folder, "api.md");
  const report = readApi(pkg);
  const text = writeReport(pkg.name, report);
  const old = before(path);
  const changes = changesBetween(old === undefined ? report : parseReport(pkg.name, old), report);
  const refused = unannounced(changes, pkg.json, changesets);
  const stale = check && (existsSync(path) ? readFileSync(path, "utf8") : undefined) !== text;
  counts[refused.length > 0 || stale ? "failed" : "passed"] += 1;
  for (const { entry, label, kind } of changes) {
    console.log(`${pkg.name}${entry.slice(1)}: ${kind} ${label}`);
  }
  if (refused.length > 0) {
    console.log(
      `${pkg.name}: ${refused.map(({ label }) => label).join(", ")} would break those who use it.\n` +
        `Fix: leave it as it was; or add a changeset that bumps ${pkg.name} by major (minor before version 1) with a ` +
        "line `Breaking: \\`name\\` …`; or, if the new type takes and gives all that the old one did, `Compatible: …`.",
    );
  } else if (stale) {
    console.log(
      `${pkg.name}: api.md is not what is built.\nFix: run npm run api, and commit what it writes.`,
    );
  } else if (!check) {
    writeFileSync(path, text);
  }
}
console.log(`${counts.passed} passed, ${counts.failed} failed`);
process.exitCode = counts.failed === 0 ? 0 : 1;
