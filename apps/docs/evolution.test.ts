import { evolutionModel } from "@qkv/figures/evolution";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const site = fileURLToPath(new URL(".", import.meta.url));
const page = readFileSync(`${site}/lessons/evolution.mdx`, "utf8");
const steps = [
  ["luong", "bahdanau", "luong"],
  ["self", "luong", "self"],
  ["causal", "self", "causal"],
  ["multi-head", "causal", "multiHead"],
  ["multi-query", "multiHead", "multiQuery"],
  ["grouped-query", "multiQuery", "groupedQuery"],
  ["sliding-window", "groupedQuery", "slidingWindow"],
] as const;

/** The lines of a function in an example. */
function linesOf(example: string, name: string): string[] {
  const code = readFileSync(`${site}/examples/evolution-${example}.ts`, "utf8");
  const found = new RegExp(`^function ${name}\\(.*?^}$`, "ms").exec(code)?.[0];
  return found?.split("\n") ?? expect.fail(`${example} has no function ${name}`);
}

/** The line diff between two texts, removed lines before added ones. */
function diff(before: readonly string[], after: readonly string[]): string[] {
  const common = Array.from({ length: before.length + 1 }, () => new Int32Array(after.length + 1));
  for (let i = before.length - 1; i >= 0; i--)
    for (let j = after.length - 1; j >= 0; j--)
      common[i]![j] =
        before[i] === after[j]
          ? common[i + 1]![j + 1]! + 1
          : Math.max(common[i + 1]![j]!, common[i]![j + 1]!);
  const lines: string[] = [];
  for (let i = 0, j = 0; i < before.length || j < after.length;) {
    const removes = i < before.length && (j === after.length || common[i + 1]![j]! >= common[i]![j + 1]!);
    if (i < before.length && before[i] === after[j]) lines.push(`  ${before[i++]}`, ...(j++, []));
    else lines.push(removes ? `- ${before[i++]}` : `+ ${after[j++]}`);
  }
  return lines;
}

test.each(steps)(
  "evolution-%s: the diff on the page is that of its code, of ten lines or fewer",
  (...step) => {
    const [example, before, after] = step;
    const lines = diff(linesOf(example, before), linesOf(example, after));
    expect(page).toContain(`\`\`\`diff\n${lines.join("\n")}\n\`\`\`\n`);
    expect(lines.filter((line) => !line.startsWith(" ")).length).toBeLessThanOrEqual(10);
  },
);

test("each step starts with the final code of the previous one", () => {
  steps.slice(1).forEach(([example, before], i) => {
    expect(linesOf(example, before)).toEqual(linesOf(steps[i]![0], before));
  });
  expect(page).toContain(`\`\`\`ts\n${linesOf("luong", "bahdanau").join("\n")}\n\`\`\``);
});

test.each(steps)("evolution-%s: the figure shows the diff of its code", (...step) => {
  const [example, before, after] = step;
  const id = { luong: "dot-product", self: "self-attention" }[example as string] ?? example;
  const shown = evolutionModel().steps.find((one) => one.id === id)!.diff;
  const changed = diff(linesOf(example, before), linesOf(example, after))
    .filter((line) => !line.startsWith(" ") && !line.includes("function "))
    .map((line) => line.replace(/^(.) +/, "$1 ").replace(/ \/\/ .*$/, ""));
  expect(shown).toEqual(changed);
});

test.each(["linear", "gated-delta", "latent", "sparse", "hybrid"])(
  "evolution-today: the lines that the figure adds for %s run in the example of the page",
  (id) => {
    const code = readFileSync(`${site}/examples/evolution-today.ts`, "utf8");
    const added = evolutionModel()
      .steps.find((one) => one.id === id)!
      .diff.filter((line) => line[0] === "+");
    expect(added.length).toBeGreaterThan(0);
    for (const line of added) expect(code).toContain(line.slice(2));
    expect(page).toContain('<Live example="evolution-today" />');
  },
);
