// Each `@example` of a docstring runs unchanged on the built packages.
import { expect, test } from "vitest";
import { runExamples } from "./example.js";
import { docstringExamples } from "./shown-examples.js";

test.each(docstringExamples())("the docstring examples of $name hold", async ({ folder, blocks }) => {
  expect((await runExamples(folder, blocks)).flat()).toEqual([]);
});
