import { expect, test } from "vitest";
import { importLines, importsLabel } from "./import-lines";

const code = `import { a } from "@qkv/tensor";
import {
  b,
  c,
} from "@qkv/viz";

const x = a(b, c);
import { late } from "@qkv/core";
`;

test("counts the lines of leading imports, also multi-line ones, and the empty line after them", () => {
  expect(importLines(code)).toBe(6);
  expect(importLines("const x = 1;\n")).toBe(0);
  expect(importLines("")).toBe(0);
  expect(importLines('import "a";')).toBe(0); // only imports: not folded
});

test("the label of folded imports names their packages", () => {
  expect(importsLabel(code.split("\n").slice(0, 5).join("\n"))).toBe("imports from @qkv/tensor, @qkv/viz");
});
