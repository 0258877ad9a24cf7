// Lighthouse on the built site, for a phone: landing page, a lesson and the evolution. The median of three runs must
// reach performance 90 and accessibility 100. QKV_LIGHTHOUSE_DETAILS=1 prints each audit below 0.9. Lighthouse is large
// and only used here, so npx installs it.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromiumPath, noChromium } from "../../../scripts/chromium.mjs";
import { serveSite } from "./serve-site.mjs";

if (!chromiumPath) {
  console.error(noChromium);
  process.exit(1);
}
const build = fileURLToPath(new URL("../build", import.meta.url));
const least = { performance: 90, accessibility: 100 };
const folder = mkdtempSync(join(tmpdir(), "qkv-lighthouse-"));
const server = await serveSite(build, { compress: true });
let [passed, failed] = [0, 0];
const rounds = 3;
for (const path of ["", "learn/query-key-value/", "learn/evolution/"]) {
  const runs = [];
  for (let round = 0; round < rounds; round++) runs.push(await scores(path));
  for (const [name, wanted] of Object.entries(least)) {
    const score = runs.map((run) => run[name]).sort((a, b) => a - b)[1]; // the median of three
    if (score >= wanted) passed++;
    else failed++;
    console.log(
      `${score >= wanted ? "ok  " : "FAIL"} ${path || "/"}: ${name} ${score} (${runs.map((run) => run[name]).join(", ")}), ${wanted} or more asked`,
    );
  }
}

/** Scores of a page on a phone, from 0 to 100. */
async function scores(path) {
  const file = join(folder, "report.json");
  const args = [
    "--yes",
    "lighthouse@13.5.0",
    server.address + path,
    "--form-factor=mobile",
    `--only-categories=${Object.keys(least).join()}`,
    "--output=json",
    `--output-path=${file}`,
    "--chrome-flags=--headless=new --no-sandbox",
    "--quiet",
  ];
  const child = spawn("npx", args, { env: { ...process.env, CHROME_PATH: chromiumPath }, stdio: "inherit" });
  await new Promise((resolve) => child.on("close", resolve));
  const { categories, audits } = JSON.parse(readFileSync(file, "utf8"));
  if (process.env.QKV_LIGHTHOUSE_DETAILS)
    for (const { id, score, title, displayValue = "" } of Object.values(audits))
      if (score !== null && score < 0.9) console.log(`     ${id} ${score}: ${title} ${displayValue}`);
  return Object.fromEntries(
    Object.keys(least).map((name) => [name, Math.round(categories[name].score * 100)]),
  );
}
await server.close();
rmSync(folder, { recursive: true, force: true });
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
