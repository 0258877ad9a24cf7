// Builds the files of live code: the packages as modules for pages, and the initial output of each example, which pages
// show before any JavaScript runs.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { exampleNames, openExamples } from "./live/examples.mjs";
import { cache, live } from "./live/folders.mjs";
import { bundleModules } from "./live/modules.mjs";
import { writePrerendered } from "./live/prerendered.mjs";
import { isExercise } from "../src/live/is-exercise.ts";

const modules = await bundleModules();
for (const folder of ["output", "unfit"]) {
  rmSync(join(cache, folder), { recursive: true, force: true });
  mkdirSync(join(cache, folder));
}
const examples = await openExamples();
const names = exampleNames();
let done = 0;
const write = async (name) => {
  const { code, output, unfit } = await examples.runExample(name);
  if (!output.some(({ type }) => type === "picture" || type === "text"))
    throw new Error(
      `examples/${name}.ts shows nothing, expected a picture or a text.\nFix: end it in show(…).`,
    );
  const wrong = isExercise(name) ? undefined : output.find(({ type, holds }) => type === "check" && !holds);
  if (wrong)
    throw new Error(
      `examples/${name}.ts: a check does not hold: ${wrong.what}\nFix: correct the code or the claim.`,
    );
  writeFileSync(join(cache, "output", `${name}.json`), JSON.stringify(output));
  writeFileSync(join(cache, "unfit", `${name}.json`), JSON.stringify(unfit));
  // For /embed/, which can show any example.
  writeFileSync(join(live, "examples", `${name}.json`), JSON.stringify({ code, output, unfit }));
  if (++done % 20 === 0) console.log(`${done} of ${names.length} examples`);
};
await Promise.all([writePrerendered(examples), ...names.map(write)]);
await examples.end();
console.log(`${modules} modules and ${names.length} examples are ready for the page`);
