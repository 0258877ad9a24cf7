import "@qkv/test-support/allclose";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { tensor } from "./create.js";
import { grad, vjp } from "./grad.js";
import { jacobian } from "./jacobian.js";
import { jvp } from "./jvp.js";
import { add } from "./ops/add.js";
import { matmul } from "./ops/matmul.js";
import { mul } from "./ops/mul.js";
import { reshape } from "./ops/reshape.js";
import { softmax } from "./ops/softmax.js";
import { sub } from "./ops/sub.js";
import { sum } from "./ops/sum.js";
import { tanh } from "./ops/tanh.js";
import { randn } from "./random/randn.js";
import type { Tensor } from "./tensor.js";

const random = (shape: number[], seed = 1) => randn(shape, { seed, dtype: "float64" });
const f = ({ w, layers }: { w: Tensor; layers: Tensor[] }) => ({
  mixed: softmax(matmul(layers[0]!, w)),
  bent: tanh(layers[1]!),
});

describe("jvp", () => {
  test("equals the central difference along the tangent, for nested params and results", () => {
    const params = { w: random([4, 2]), layers: [random([3, 4], 2), random([5], 3)] };
    const tangents = { w: random([4, 2], 4), layers: [random([3, 4], 5), random([5], 6)] };
    const { value, tangent } = jvp(f, params, tangents);
    expect(value.mixed.data).toEqual(f(params).mixed.data);
    const step = 1e-5;
    const moved = (by: number) => {
      const along = (x: Tensor, dx: Tensor) => add(x, mul(dx, by));
      return f({
        w: along(params.w, tangents.w),
        layers: params.layers.map((x, i) => along(x, tangents.layers[i]!)),
      });
    };
    const [up, down] = [moved(step), moved(-step)];
    for (const name of ["mixed", "bent"] as const) {
      const slope = mul(sub(up[name], down[name]), 1 / (2 * step));
      expect(tangent[name].data).toBeAllclose(slope.data, { rtol: 0, atol: 1e-8 });
    }
  });

  test("property: ⟨dy, J·dx⟩ = ⟨Jᵀ·dy, dx⟩", () => {
    fc.assert(
      fc.property(fc.nat(1e6), (seed) => {
        const x = random([2, 3], seed);
        const [dx, dy] = [random([2, 3], seed + 1), random([2, 3], seed + 2)];
        const along = jvp((z: Tensor) => softmax(z), x, dx).tangent;
        const back = vjp((z: Tensor) => softmax(z), x).pullback(dy);
        expect(sum(mul(dy, along)).data[0]).toBeCloseTo(sum(mul(back, dx)).data[0]!, 12);
      }),
    );
  });

  test("refuses tangents of another shape, and results without a derivative", () => {
    expect(() => jvp((x: Tensor) => tanh(x), tensor([1, 2]), tensor([1]))).toThrow(
      /jvp: `tangents` has shape \[1\], expected one tensor per param, of its shape \[2\]/,
    );
    const ids = (x: Tensor) =>
      add(tensor([1], { dtype: "int32" }), tensor([x.shape[0]!], { dtype: "int32" }));
    expect(() => jvp(ids, tensor([1, 2]), tensor([1, 2]))).toThrow(
      /jvp: `dtype of f\(…\)` is "int32", expected tensors of floats/,
    );
  });
});

describe("jacobian", () => {
  test("times a tangent equals jvp", () => {
    const g = (x: Tensor) => softmax(matmul(x, random([3, 2], 2)));
    const x = random([4, 3]);
    const J = jacobian(g)(x);
    expect(J.shape).toEqual([4, 2, 4, 3]);
    const dx = random([4, 3], 5);
    const along = matmul(reshape(J, [8, 12]), reshape(dx, [12, 1]));
    expect(along.data).toBeAllclose(jvp(g, x, dx).tangent.data, { rtol: 0, atol: 1e-13 });
  });

  test("of a gradient is the Hessian, which is symmetric", () => {
    const loss = (x: Tensor) => sum(mul(softmax(x), random([4], 2)));
    const hessian = jacobian(grad(loss))(random([4])).toNested() as number[][];
    for (let i = 0; i < 4; i++)
      for (let j = 0; j < 4; j++) expect(hessian[i]![j]).toBeCloseTo(hessian[j]![i]!, 12);
  });

  test("params may be nested, and outputs may have one element or none", () => {
    const both = jacobian(({ a, b }: { a: Tensor; b: Tensor }) => sum(mul(a, b)))({
      a: tensor([1, 2]),
      b: tensor([3, 4]),
    });
    expect([both.a.toNested(), both.b.toNested()]).toEqual([
      [3, 4],
      [1, 2],
    ]);
    expect(jacobian((x: Tensor) => mul(x, 2))(tensor([], { shape: [0] })).shape).toEqual([0, 0]);
  });
});
