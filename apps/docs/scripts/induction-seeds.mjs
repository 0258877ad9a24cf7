// Trains the model of the lesson "Grow your own induction head" with several seeds, each as the lesson's own code in Node, and prints
// the step and the seconds at which the loss falls, which heads it finds, and whether the loss comes back without them:
//   node apps/docs/scripts/induction-seeds.mjs [seeds, default 20] [first, default 1]
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { connect } from "@qkv/page";

const [count = 20, first = 1] = process.argv.slice(2).map(Number);
const example = readFileSync(new URL("../examples/induction-head.ts", import.meta.url), "utf8");
const limitSeconds = 90;

let inTime = 0;
for (let seed = first; seed < first + count; seed++) {
  const code = example.replace("const seed = 1;", `const seed = ${seed};`);
  // A place in which imports find the packages, and that git leaves out.
  const file = new URL(`../node_modules/.induction-${process.pid}-${seed}.mjs`, import.meta.url);
  const lines = [];
  const checks = [];
  connect({
    values: {},
    post: (message) => {
      if (message.type === "text") lines.push(message.text);
      if (message.type === "check") checks.push(message.holds);
    },
  });
  try {
    writeFileSync(file, stripTypeScriptTypes(code, { mode: "transform" }));
    await import(file.href);
  } catch (error) {
    lines.push(String(error));
  } finally {
    rmSync(file, { force: true });
  }
  const [, step, seconds] = /fell below 1 at step (\d+), after ([\d.]+) s/.exec(lines.join("\n")) ?? [];
  const isInTime = Number(seconds) < limitSeconds && checks.length > 0 && checks.every(Boolean);
  if (isInTime) inTime += 1;
  console.log(
    `seed ${seed}: step ${step ?? "none"}, ${seconds ?? "-"} s, checks ${checks.join(" ")}; ${lines.slice(2).join("; ")}`,
  );
}
console.log(`${inTime} of ${count} seeds in under ${limitSeconds} s, with every check`);
