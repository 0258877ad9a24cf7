import fc from "fast-check";
import { expect, test } from "vitest";
import { tensor } from "../create.js";
import { argmax } from "./argmax.js";
import { oneHot } from "./one-hot.js";
import { sum } from "./sum.js";

test("property: each row has a single 1, at the index of the id", () => {
  const lists = fc.array(fc.nat(6), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(lists, (list) => {
      const ids = tensor(list, { shape: [list.length, 1], dtype: "int32" });
      const rows = oneHot(ids, 7);
      expect(rows.shape).toEqual([list.length, 1, 7]);
      expect([...argmax(rows, { axis: -1 }).data]).toEqual(list);
      expect([...sum(rows, { axis: -1 }).data]).toEqual(list.map(() => 1));
    }),
  );
});

test("an id out of range has a row of zeros, in any dtype", () => {
  const ids = tensor([-1, 1, 2], { dtype: "int32" });
  expect(oneHot(ids, 2, { dtype: "bool" }).toNested()).toEqual([
    [false, false],
    [false, true],
    [false, false],
  ]);
  expect(oneHot(ids, 2, { dtype: "int32" }).dtype).toBe("int32");
});

test("ids that are not integers, and a number of classes of 0, are refused", () => {
  const ids = tensor([1], { dtype: "int32" });
  expect(() => oneHot(tensor([1]), 2)).toThrow(/oneHot: `ids` is "float32.*\n?.*int32/);
  expect(() => oneHot(ids, 0)).toThrow(/`numClasses` is 0/);
  expect(() => oneHot(ids, 2, { depth: 2 } as never)).toThrow(/`depth` is 2/);
});
