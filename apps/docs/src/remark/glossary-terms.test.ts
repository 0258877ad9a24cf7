import { expect, test } from "vitest";
import { markTerms } from "./glossary-terms";

const shown = (text: string, used = new Set<string>()) =>
  markTerms(text, used).map(({ value, children }) => value ?? `<${children![0]!.value}>`);

test("only the first use of a term is marked", () => {
  const used = new Set<string>();
  expect(shown("Softcap limits scores; a mask hides.", used)).toEqual([
    "<Softcap>",
    " limits ",
    "<scores>",
    "; a ",
    "<mask>",
    " hides.",
  ]);
  expect(shown("The mask again.", used)).toEqual(["The mask again."]);
});

test("the longest term is marked, and only whole words", () => {
  expect(shown("A key-value head is stored.")).toEqual(["A ", "<key-value head>", " is stored."]);
  expect(shown("Masking and headers.")).toEqual(["Masking and headers."]);
});

test("a plural is marked as a whole, with the meaning of its term", () => {
  expect(shown("Two masks")).toEqual(["Two ", "<masks>"]);
  expect(shown("A mask. Two masks")).toEqual(["A ", "<mask>", ". Two masks"]);
});

test("meanings contain no Markdown or TeX", () => {
  const [term] = markTerms("Log-sum-exp", new Set());
  const { value } = (term!.attributes as { name: string; value: string }[]).find(
    ({ name }) => name === "meaning",
  )!;
  expect(value).toMatch(/^The logarithm of the softmax denominator, \[B, H, T\]/);
  expect(value).not.toMatch(/[$`*\\]|\]\(/);
});
