// The third tier of checks, started by hand, a part at a time: npm run nightly [PART]. Each part is a module in
// scripts/nightly/ that exports `about`, one sentence, and `steps`, the commands to run. If a part takes arguments,
// `steps` is a function of them, and `takes` describes them.
import { readdirSync } from "node:fs";
import { runSteps } from "./steps.mjs";

const folder = new URL("nightly/", import.meta.url);
const parts = new Map();
for (const file of readdirSync(folder).sort()) {
  if (file.endsWith(".mjs")) parts.set(file.slice(0, -".mjs".length), await import(new URL(file, folder)));
}
const list = [...parts]
  .map(([name, { about, takes = "" }]) => `  ${`${name} ${takes}`.padEnd(18)} ${about}`)
  .join("\n");

const [wanted, ...more] = process.argv.slice(2);
if (wanted === undefined || wanted === "--help") {
  console.log(`npm run nightly PART runs one of:\n${list}`);
} else if (!parts.has(wanted) || (more.length > 0 && !parts.get(wanted).takes)) {
  const given = [wanted, ...more].join(" ");
  console.error(`nightly: there is no part "${given}".\nFix: name one of these:\n${list}`);
  process.exitCode = 1;
} else {
  const { steps } = parts.get(wanted);
  try {
    process.exitCode = (await runSteps(typeof steps === "function" ? steps(more) : steps)) ? 0 : 1;
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
