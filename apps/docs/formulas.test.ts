import { createRequire } from "node:module";
import { expect, test } from "vitest";

const require = createRequire(import.meta.url);

test("the style sheet for formulas has the version of KaTeX that renders them", () => {
  const version = (from: NodeJS.Require) => (from("katex/package.json") as { version: string }).version;
  expect(version(require)).toBe(version(createRequire(require.resolve("rehype-katex"))));
});
