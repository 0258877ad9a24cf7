import { expect, test } from "vitest";
import { knownNodes, type Known } from "./known-nodes.js";

const known = (shape: number[], numbers: number[]): Known => ({ shape, integer: false, numbers });
const list = (...numbers: number[]): Known => known([numbers.length], numbers);
const run = (op: string, inputs: (Known | undefined)[], attributes: object = {}): [number[], number[]] => {
  const { shape, numbers } = knownNodes[op]!(inputs, attributes as Record<string, unknown>);
  return [[...shape], [...numbers]];
};
const cube = known([2, 2, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);

test("reductions over any axes, with and without keepdims", () => {
  expect(run("ReduceSum", [cube, list(1)])).toEqual([[2, 1, 3], [5, 7, 9, 17, 19, 21]]); // prettier-ignore
  expect(run("ReduceMax", [cube, list(0, -1)], { keepdims: 0 })).toEqual([[2], [9, 12]]);
  expect(run("ReduceMean", [cube])).toEqual([[1, 1, 1], [6.5]]);
  expect(run("ReduceMin", [cube], { axes: [2] })[1]).toEqual([1, 4, 7, 10]);
  expect(run("ReduceSum", [cube], { noop_with_empty_axes: 1 })).toEqual([[2, 2, 3], [...cube.numbers]]);
});

test("softmax and cumulative sums along an axis", () => {
  const [shape, numbers] = run("Softmax", [known([2, 2], [0, 1000, Math.log(3), 1000])], { axis: 0 });
  expect(shape).toEqual([2, 2]);
  [0.25, 0.5, 0.75, 0.5].forEach((x, i) => expect(numbers[i]).toBeCloseTo(x, 12));
  const sums = (attributes: object) => run("CumSum", [list(1, 2, 4), known([], [0])], attributes)[1];
  expect(sums({})).toEqual([1, 3, 7]);
  expect(sums({ exclusive: 1 })).toEqual([0, 1, 3]);
  expect(sums({ reverse: 1 })).toEqual([7, 6, 4]);
  expect(sums({ reverse: 1, exclusive: 1 })).toEqual([6, 4, 0]);
});

test("transposes, slices and other copies", () => {
  expect(run("Transpose", [known([2, 3], [1, 2, 3, 4, 5, 6])])).toEqual([[3, 2], [1, 4, 2, 5, 3, 6]]); // prettier-ignore
  expect(run("Transpose", [cube], { perm: [1, 2, 0] })).toEqual([
    [2, 3, 2],
    [1, 7, 2, 8, 3, 9, 4, 10, 5, 11, 6, 12],
  ]);
  const slice = (...inputs: (Known | undefined)[]) => run("Slice", [list(0, 1, 2, 3, 4), ...inputs])[1];
  expect(slice(list(1), list(-1))).toEqual([1, 2, 3]);
  expect(slice(list(-2), list(1000))).toEqual([3, 4]);
  expect(slice(list(4), list(-1000), list(0), list(-2))).toEqual([4, 2, 0]);
  expect(slice(list(3), list(1))).toEqual([]);
  expect(run("Slice", [cube, list(1), list(3), list(-1)])).toEqual([[2, 2, 2], [2, 3, 5, 6, 8, 9, 11, 12]]); // prettier-ignore
  const square = known([2, 2], [1, 2, 3, 4]);
  expect(run("Trilu", [square])[1]).toEqual([1, 2, 0, 4]);
  expect(run("Trilu", [square, known([], [-1])], { upper: 0 })[1]).toEqual([0, 0, 3, 0]);
});
