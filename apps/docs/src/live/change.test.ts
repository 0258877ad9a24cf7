import { expect, test } from "vitest";
import { edited, hunksOf, isMade, numbersAfter, numbersIn, resultOf, type Change } from "./change";

const code = 'import { a } from "x";\n\nconst one = 1;\nconst two = 2;\nconst three = 3;\n';

test("edits apply at any position, and `find` must occur exactly once", () => {
  const edits = [
    { find: "two = 2", replace: "two = 22" },
    { find: "{ a }", replace: "{ a, b }" },
  ];
  expect(edited(code, edits)).toBe(code.replace("{ a }", "{ a, b }").replace("two = 2", "two = 22"));
  expect(edited(code)).toBe(code);
  for (const [find, error] of [
    ["four", "This occurs nowhere in the example, expected exactly once"],
    ["", "This occurs nowhere"],
    ["const", "This occurs more than once"],
    ["aa", "more than once"],
  ] as const)
    expect(() => edited(find === "aa" ? "aaa" : code, [{ find, replace: "x" }])).toThrow(error);
  expect(() =>
    edited(code, [
      { find: "two = 2", replace: "" },
      { find: "= 2;", replace: "" },
    ]),
  ).toThrow("overlaps");
});

test("hunks are whole lines; adjacent edits are merged, unchanged lines omitted", () => {
  expect(
    hunksOf(code, [
      { find: "{ a }", replace: "{ a, b }" },
      { find: "one = 1;\nconst two = 2", replace: "one = 1;\nconst more = 0;\nconst two = 22" },
      { find: "three = 3", replace: "three = 33" },
    ]),
  ).toEqual([
    { line: 1, removed: ['import { a } from "x";'], added: ['import { a, b } from "x";'] },
    {
      line: 4,
      removed: ["const two = 2;", "const three = 3;"],
      added: ["const more = 0;", "const two = 22;", "const three = 33;"],
    },
  ]);
});

test("a change counts as applied if code and controls are those after it", () => {
  const change: Change = {
    label: "",
    says: "",
    outcome: () => true,
    edits: [{ find: "one = 1", replace: "one = 5" }],
    set: { window: 4 },
  };
  const now = edited(code, change.edits);
  expect(isMade(change, code, { code: now, values: { window: 4 } })).toBe(true);
  expect(isMade(change, code, { code: now, values: {} })).toBe(false);
  expect(isMade(change, code, { code, values: { window: 4 } })).toBe(false);
  expect(isMade(change, code, { code: now, values: { window: 4, other: 1 } })).toBe(false);
});

test("a result has lines, titles of marks in pictures, and checks", () => {
  const result = resultOf([
    { type: "text", text: "a 1\nb 2", level: "log" },
    { type: "picture", svg: "<svg><title>t</title><rect><title>animal: 0.98</title></rect></svg>" },
    { type: "check", what: "it holds", holds: false },
    { type: "choice", label: "x", options: ["1"], value: "1" },
  ]);
  expect(result).toMatchObject({ lines: ["a 1", "b 2"], readings: ["t", "animal: 0.98"] });
  expect(result.checks).toEqual({ "it holds": false });
  expect(numbersAfter(result.readings, "animal: ")).toEqual([0.98]);
  expect(numbersAfter(result.readings, "plant: ")).toEqual([]);
  expect(numbersIn("-1.5, 16,384 and 2e-7")).toEqual([-1.5, 16384, 2e-7]);
});
