import { createRequire } from "node:module";
import { expect, test } from "vitest";

const require = createRequire(import.meta.url);

test("formulas are styled by the version of KaTeX that writes them", () => {
  const version = (from: NodeJS.Require) => (from("katex/package.json") as { version: string }).version;
  expect(version(require)).toBe(version(createRequire(require.resolve("rehype-katex"))));
});
