import fc from "fast-check";
import { expect, test } from "vitest";
import { checkGradient } from "../check-gradient.js";
import { grad } from "../grad.js";
import { run } from "../op.js";
import { zeros } from "../create.js";
import { add } from "./add.js";
import { cast } from "./cast.js";
import { linear, linearOp } from "./linear.js";
import { matmul } from "./matmul.js";
import { mul } from "./mul.js";
import { sum } from "./sum.js";
import { transpose } from "./transpose.js";
import { randn } from "../random/randn.js";
import type { Tensor } from "../tensor.js";

const random = (shape: number[], seed: number) => randn(shape, { seed, dtype: "float64" });

test("property: linear is the product with the transposed weight, plus the bias", () => {
  const size = fc.integer({ min: 1, max: 5 });
  fc.assert(
    fc.property(fc.array(size, { maxLength: 2 }), size, size, fc.nat(100), (outer, inner, out, seed) => {
      const [x, weight, bias] = [
        random([...outer, inner], seed),
        random([out, inner], seed + 1),
        random([out], seed + 2),
      ];
      const y = matmul(x, transpose(weight));
      expect(linear(x, weight).toNested()).toEqual(y.toNested());
      expect(linear(x, weight, bias).toNested()).toEqual(add(y, bias).toNested());
    }),
  );
});

test("the gradients of x, weight and bias equal central differences", () => {
  const params = { x: random([2, 3, 4], 1), weight: random([5, 4], 2), bias: random([5], 3) };
  const weigh = (y: Tensor) => sum(mul(y, random([...y.shape], 9)));
  expect(() => checkGradient(({ x, weight, bias }) => weigh(linear(x, weight, bias)), params)).not.toThrow();
});

test("property: a 16-bit weight gives the same outputs and gradients of x as the weight cast to float32, bit for bit", () => {
  const size = fc.integer({ min: 1, max: 9 });
  const half = fc.constantFrom("bfloat16" as const, "float16" as const);
  fc.assert(
    fc.property(size, size, size, half, fc.nat(100), (rows, inner, out, dtype, seed) => {
      const x = randn([rows, inner], { seed });
      const bias = randn([out], { seed: seed + 2 });
      const weight = cast(randn([out, inner], { seed: seed + 1 }), dtype);
      const floats = cast(weight, "float32");
      expect(linear(x, weight, bias).data).toEqual(linear(x, floats, bias).data);
      const slope = (w: Tensor) => grad((x: Tensor) => sum(linear(x, w, bias)))(x).data;
      expect(slope(weight)).toEqual(slope(floats));
      const exact = cast(x, "float64");
      expect(linear(exact, weight).data).toEqual(linear(exact, cast(weight, "float64")).data);
      // The plain kernel of the op, as a device without a kernel for these types runs it.
      expect(run(linearOp, [x, weight, bias], undefined).data).toEqual(
        run(linearOp, [x, floats, bias], undefined).data,
      );
    }),
  );
});

test("invalid arguments are refused, with the fix", () => {
  const [x, weight] = [zeros([2, 4]), zeros([3, 4])];
  expect(() => linear(x, zeros([4, 3]))).toThrow(/linear: `weight` has shape \[4, 3\], expected \[out, 4\]/);
  expect(() => linear(x, zeros([3, 4], { dtype: "float64" }))).toThrow(
    /linear: `weight` is "float64", expected float32 like x/,
  );
  expect(() => linear(cast(x, "bfloat16"), weight)).toThrow(
    /linear: `weight` is "float32", expected bfloat16/,
  );
  expect(() => linear(cast(x, "int32"), cast(weight, "bfloat16"))).toThrow(/expected int32 like x/);
  expect(() => linear(cast(x, "bfloat16"), cast(weight, "bfloat16"))).toThrow(/this type is for storage/);
  expect(() => linear(x, weight, zeros([4]))).toThrow(
    /linear: `bias` is "float32 \[4\]", expected float32 \[3\], as the weight has rows.*\nFix: a bias has one number/,
  );
  expect(() => linear(x, weight, 1 as unknown as Tensor)).toThrow(/linear: `bias` is 1, expected a tensor/);
});
