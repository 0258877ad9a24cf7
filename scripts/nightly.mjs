// The third tier of checks, by hand, a part at a time: npm run nightly [PART]. Each part is a module in scripts/nightly/
// that exports `about`, one sentence, and `steps`, the commands that it runs.
import { readdirSync } from "node:fs";
import { runSteps } from "./steps.mjs";

const folder = new URL("nightly/", import.meta.url);
const parts = new Map();
for (const file of readdirSync(folder).sort()) {
  if (file.endsWith(".mjs")) parts.set(file.slice(0, -".mjs".length), await import(new URL(file, folder)));
}
const list = [...parts].map(([name, { about }]) => `  ${name.padEnd(12)} ${about}`).join("\n");

const [wanted, ...more] = process.argv.slice(2);
if (wanted === undefined) {
  console.log(`npm run nightly PART runs one of:\n${list}`);
} else if (more.length > 0 || !parts.has(wanted)) {
  const given = [wanted, ...more].join(" ");
  console.error(`nightly: there is no part "${given}".\nFix: name one of these:\n${list}`);
  process.exitCode = 1;
} else {
  process.exitCode = (await runSteps(parts.get(wanted).steps)) ? 0 : 1;
}
