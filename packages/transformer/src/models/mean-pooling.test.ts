import { checkGradient, mul, randn, sum, tensor } from "@qkv/tensor";
import { expect, test } from "vitest";
import { meanPooling, unitLength } from "./mean-pooling.js";

const rows = randn([2, 3, 4], { seed: 1 });

test("the mean is over tokens without padding", () => {
  const padded = meanPooling(
    rows,
    tensor([
      [1, 1, 1],
      [1, 0, 0],
    ]),
  );
  const all = meanPooling(rows);
  for (let c = 0; c < 4; c++) {
    expect(padded.data[c]).toBeCloseTo(all.data[c]!, 6);
    expect(padded.data[4 + c]).toBe(rows.data[12 + c]);
    expect(all.data[4 + c]).toBeCloseTo(
      (rows.data[12 + c]! + rows.data[16 + c]! + rows.data[20 + c]!) / 3,
      6,
    );
  }
  expect([
    ...meanPooling(
      rows,
      tensor([
        [0, 0, 0],
        [1, 1, 1],
      ]),
    ).data.slice(0, 4),
  ]).toEqual([0, 0, 0, 0]);
});

test("unitLength gives vectors of norm 1, and zeros for zeros", () => {
  const { data } = unitLength(
    tensor([
      [1, 2, 2],
      [0, 0, 0],
    ]),
  );
  expect([...data].map((x) => x.toFixed(4))).toEqual([
    "0.3333",
    "0.6667",
    "0.6667",
    "0.0000",
    "0.0000",
    "0.0000",
  ]);
});

test("gradients of meanPooling and unitLength equal central differences", () => {
  const x = randn([2, 3, 4], { seed: 2, dtype: "float64" });
  const dy = randn([2, 4], { seed: 3, dtype: "float64" });
  const attentionMask = tensor([
    [1, 1, 0],
    [1, 1, 1],
  ]);
  checkGradient((x) => sum(mul(unitLength(meanPooling(x, attentionMask)), dy)), x);
});

test("an attention mask of another shape is refused", () => {
  expect(() => meanPooling(rows, tensor([[1, 1]]))).toThrow(
    /meanPooling: `attentionMask` has shape \[1, 2\], expected \[2, 3\], as rows are \[2, 3, 4\]/,
  );
});
