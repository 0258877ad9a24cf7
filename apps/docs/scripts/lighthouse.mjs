// What Lighthouse says of the first page and of a lesson, on the built site: performance 90 or more, accessibility 100.
// Lighthouse is large and asked for here alone: npx brings it.
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
const server = await serveSite(build);
let [passed, failed] = [0, 0];
for (const path of ["", "learn/query-key-value/"]) {
  const file = join(folder, "report.json");
  const args = [
    "--yes",
    "lighthouse@13.5.0",
    server.address + path,
    "--preset=desktop",
    `--only-categories=${Object.keys(least).join()}`,
    "--output=json",
    `--output-path=${file}`,
    "--chrome-flags=--headless=new --no-sandbox",
    "--quiet",
  ];
  const child = spawn("npx", args, { env: { ...process.env, CHROME_PATH: chromiumPath }, stdio: "inherit" });
  await new Promise((resolve) => child.on("close", resolve));
  const { categories } = JSON.parse(readFileSync(file, "utf8"));
  for (const [name, wanted] of Object.entries(least)) {
    const score = Math.round(categories[name].score * 100);
    if (score >= wanted) passed++;
    else failed++;
    console.log(
      `${score >= wanted ? "ok  " : "FAIL"} ${path || "/"}: ${name} ${score}, ${wanted} or more asked`,
    );
  }
}
await server.close();
rmSync(folder, { recursive: true, force: true });
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
