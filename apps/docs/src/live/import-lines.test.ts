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

test("the imports that a code begins with are counted in lines, of a list over several too, with the empty line after them", () => {
  expect(importLines(code)).toBe(6);
  expect(importLines("const x = 1;\n")).toBe(0);
  expect(importLines("")).toBe(0);
  expect(importLines('import "a";')).toBe(0); // nothing follows: it stays to be read
});

test("folded imports name their packages", () => {
  expect(importsLabel(code.split("\n").slice(0, 5).join("\n"))).toBe("imports from @qkv/tensor, @qkv/viz");
});
