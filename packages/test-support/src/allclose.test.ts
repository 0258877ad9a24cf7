import { expect, test } from "vitest";
import { allclose } from "./allclose.js";

test("golden: the worst number is named with its index, both values and the tolerance", () => {
  const actual = { data: [1, 2, 3, 4, 5.5, 6.25], shape: [2, 3] };
  const expected = { data: [1, 2, 3, 4, 5, 6], shape: [2, 3] };
  expect(allclose(actual, expected, { rtol: 0, atol: 0.125 }).message).toBe(
    "2 of 6 numbers differ by more than the tolerance; the worst at [1, 1]: expected 5, received 5.5, which differ by 0.5; " +
      "allowed is 0.125 = atol 0.125 + rtol 0 · |expected|",
  );
  expect(() => expect(actual).toBeAllclose(expected)).toThrow(/worst at \[1, 1\]: expected 5, received 5\.5/);
  expect(actual).toBeAllclose(expected, { atol: 0.5 });
  expect([1, 2.1]).not.toBeAllclose([1, 2]);
});

test("golden: the tolerance is that of torch.allclose", () => {
  expect([100.0005]).toBeAllclose([100], { rtol: 1e-5, atol: 0 });
  expect([100.002]).not.toBeAllclose([100], { rtol: 1e-5, atol: 0 });
  expect([1e-9]).toBeAllclose([0]);
  expect([1e-7]).not.toBeAllclose([0]);
  expect([0.9, 1000]).toBeAllclose([0, 1000], { rtol: 0, atol: 1e-3, scaled: true });
  expect([0.9, 999999]).not.toBeAllclose([0, 10], { rtol: 0, atol: 1e-3, scaled: true });
});

test("NaN and infinities pass only where they are expected", () => {
  expect([Infinity, -Infinity]).toBeAllclose([Infinity, -Infinity]);
  for (const [a, b] of [
    [NaN, 1],
    [1, NaN],
    [Infinity, 1],
    [1, Infinity],
    [Infinity, -Infinity],
    [NaN, NaN],
  ]) {
    expect([a!], `${a} for ${b}`).not.toBeAllclose([b!], { atol: 1e9 });
  }
  expect([NaN]).toBeAllclose([NaN], { equalNan: true });
  expect(allclose([5, NaN, 9], [1, 2, 3]).message).toContain("the worst at [1]: expected 2, received NaN");
});

test("another shape fails, whatever the numbers", () => {
  const data = [1, 2, 3, 4];
  expect(allclose({ data, shape: [4] }, { data, shape: [2, 2] }).message).toBe(
    "received shape [4], expected [2, 2]",
  );
  expect({ data, shape: [2, 2] }).toBeAllclose(Float32Array.from(data));
  expect(data).not.toBeAllclose([1, 2, 3]);
});
