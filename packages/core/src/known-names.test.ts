import { expect, test } from "vitest";
import { checkOneOf } from "./checks.js";
import { checks } from "./bound-checks.js";
import { knownNames } from "./known-names.js";

const many = ["llama", "bert", "modernbert", "mistral", "gemma", "qwen2", "phi", "olmo", "gpt2"];

test("up to eight names are written whole", () => {
  expect(knownNames("x", many.slice(0, 8), "the list")).toBe(
    "llama, bert, modernbert, mistral, gemma, qwen2, phi, olmo",
  );
});

test("of more than eight names, the text has the nearest, the number, and where the list is", () => {
  expect(knownNames("eurobert", many, "the guide")).toBe("bert, modernbert, … (the guide lists all 9)");
  expect(knownNames("Lama", many, "the guide")).toBe("llama, … (the guide lists all 9)");
});

test.each([["zzzz"], [5], [undefined], [""]])(
  "for %o, which is near no name, the first three are shown",
  (given) => {
    expect(knownNames(given, many, "the guide")).toBe("llama, bert, modernbert, … (the guide lists all 9)");
  },
);

test("of more than eight numbers, the text has the nearest three; a list without a place has its number alone", () => {
  const layers = Array.from({ length: 12 }, (_, i) => 10 * i);
  expect(knownNames(71, layers, "`reads`")).toBe("60, 70, 80, … (`reads` lists all 12)");
  expect(knownNames(500, layers)).toBe("90, 100, 110, … (12 in all)");
  expect(knownNames(undefined, layers)).toBe("0, 10, 20, … (12 in all)");
});

test("checks of one of many choices name the nearest and the reference of the function", () => {
  const text =
    'open: `kind` is "gema", expected one of gemma, … (the reference of `open` lists all 9).\nFix: choose one.';
  expect(() => checkOneOf("open", "kind", "gema", many, "choose one.")).toThrow(text);
  expect(() => checks("open").oneOf({ kind: "gema" }, many, "choose one.")).toThrow(text);
});

test("an unknown option among many is refused with the nearest, and a value that is no object with the first three", () => {
  const names = many as never;
  expect(() => checks("open").options({ gema: 1 }, names)).toThrow(
    "open: `gema` is 1, expected one of the options gemma, … (the reference of `open` lists all 9).\nFix: write `gemma`.",
  );
  expect(() => checks("open").options(5 as never, names)).toThrow(
    "open: `options` is 5, expected an object with any of the options llama, bert, modernbert, … (the reference of `open` lists all 9).",
  );
});
