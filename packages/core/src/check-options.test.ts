import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { expect, test } from "vitest";
import { checks } from "./bound-checks.js";

type Options = { axis?: number; keepDims?: boolean; learningRate?: number; eps?: number; mask?: object };
const names = ["axis", "keepDims", "learningRate", "eps", "mask"] as const;
const read = (given: unknown) => checks("sum").options(given as Options | undefined, names);

test("valid options are returned, and undefined gives an empty object", () => {
  const given = { axis: 1, eps: undefined };
  expect(read(given)).toBe(given);
  expect(read(undefined)).toEqual({});
  expect(read(Object.create(null))).toEqual({});
  expect(read(runInNewContext("({ axis: 1 })"))).toEqual({ axis: 1 });
});

test.each([
  ["keepdim", "keepDims"],
  ["keep_dims", "keepDims"],
  ["axes", "axis"],
  ["dim", "axis"],
  ["learnRate", "learningRate"],
  ["learning", "learningRate"],
  ["lr", "learningRate"],
  ["epsilon", "eps"],
  ["is_causal", "mask: causal()"],
  ["isCausal", "mask: causal()"],
  ["attn_mask", "mask"],
])("an unknown option is refused with the nearest name: %s is meant as %s", (name, meant) => {
  expect(() => read({ [name]: 0 })).toThrow(
    `sum: \`${name}\` is 0, expected one of the options axis, keepDims, learningRate, eps, mask.\nFix: write \`${meant}\`.`,
  );
});

test.each(["dropout", "constructor", "x", ""])(
  "for %o, which is similar to no option, the fix is to leave it out",
  (name) => {
    expect(() => read({ [name]: 0 })).toThrow(/\nFix: leave it out\.$/);
  },
);

test("an unknown option is refused even if its value is undefined", () => {
  expect(() => read({ dim: undefined })).toThrow("`dim` is undefined");
});

test("a synonym is suggested only if the function has that option", () => {
  expect(() => checks("relu").options({ lr: 1 } as { gain?: number }, ["gain"])).toThrow(
    /\nFix: leave it out\.$/,
  );
});

const tensor = new (class Tensor {
  shape = [2, 3];
  dtype = "float32";
})();

test.each([
  [0, "0"],
  ["mean", '"mean"'],
  [null, "null"],
  [true, "true"],
  [[1], "[1]"],
  [tensor, "a float32 tensor of shape [2, 3]"],
  [new Map(), "a Map"],
  [new Float32Array(1), "a Float32Array of 4 bytes"],
  [() => 1, "the function (anonymous)"],
])("%o where an object of options belongs is refused", (given, shown) => {
  expect(() => read(given)).toThrow(
    `sum: \`options\` is ${shown}, expected an object with any of the options axis, keepDims, learningRate, eps, mask.\nFix: pass an object: \`{ axis }\`.`,
  );
});

test("nested options are named by their argument", () => {
  expect(() => checks("generate").options(5 as { seed?: number }, ["seed"], "sampling")).toThrow(
    "generate: `sampling` is 5",
  );
});

test("property: exactly the unknown names are refused", () => {
  fc.assert(
    fc.property(fc.string(), (name) => {
      const given = Object.defineProperty({}, name, { value: 1, enumerable: true });
      if ((names as readonly string[]).includes(name)) expect(read(given)).toBe(given);
      else
        expect(() => read(given)).toThrow(
          expect.objectContaining({ name: "ArgumentError", fn: "sum", argument: name }),
        );
    }),
  );
});
