// The examples that a reader sees first run as they are shown, on the built packages.
import { expect, test } from "vitest";
import { compileExample, runExamples } from "./example.js";
import { readmeExamples } from "./shown-examples.js";

test.each(readmeExamples())(
  "the README of $name has a checked example, and every example holds",
  async ({ folder, blocks }) => {
    const checks = blocks.flatMap((block) => compileExample(block).checks);
    expect(checks.length, "lines with `// =>`").toBeGreaterThan(0);
    expect((await runExamples(folder, blocks)).flat()).toEqual([]);
  },
);
