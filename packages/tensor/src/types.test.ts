import { expectTypeOf, test } from "vitest";
import { checkGradient } from "./check-gradient.js";
import { count } from "./count.js";
import { tensor } from "./create.js";
import type { Operand } from "./elementwise.js";
import { grad, valueAndGrad, vjp } from "./grad.js";
import { js } from "./js-device.js";
import { add } from "./ops/add.js";
import { argmax } from "./ops/argmax.js";
import { scatter } from "./ops/scatter.js";
import { split } from "./ops/split.js";
import { sum } from "./ops/sum.js";
import { topK } from "./ops/top-k.js";
import { where } from "./ops/where.js";
import type { ReduceOptions } from "./reduce.js";
import { isTensor, type Tensor } from "./tensor.js";
import { mapTensors } from "./tree.js";
import type { DType, Nested, Shape, TypedArray } from "@qkv/core";

// What a type checker must accept and refuse; nothing here runs.
test("public signatures have the expected types", () => {
  expectTypeOf(tensor).returns.toEqualTypeOf<Tensor>();
  expectTypeOf<Tensor["shape"]>().toEqualTypeOf<Shape>();
  expectTypeOf<Tensor["dtype"]>().toEqualTypeOf<DType>();
  expectTypeOf<Tensor["data"]>().toEqualTypeOf<TypedArray>();
  expectTypeOf<Tensor["read"]>().returns.resolves.toEqualTypeOf<TypedArray>();
  expectTypeOf<Tensor["toNested"]>().returns.toEqualTypeOf<Nested>();
  expectTypeOf<Operand>().toEqualTypeOf<Tensor | number>();

  expectTypeOf(add).parameters.toEqualTypeOf<[a: Operand, b: Operand]>();
  expectTypeOf(where).parameters.toEqualTypeOf<[condition: Tensor, a: Operand, b: Operand]>();
  expectTypeOf(sum).parameter(1).toEqualTypeOf<ReduceOptions | undefined>();
  expectTypeOf(argmax).returns.toEqualTypeOf<Tensor>();
  expectTypeOf(topK).returns.toEqualTypeOf<{ values: Tensor; indices: Tensor }>();
  expectTypeOf(split).returns.toEqualTypeOf<Tensor[]>();
  expectTypeOf(isTensor).guards.toEqualTypeOf<Tensor>();

  // @ts-expect-error strings are no element types
  expectTypeOf(tensor).toBeCallableWith([1], { dtype: "float8" });
  // @ts-expect-error products are not known
  expectTypeOf(scatter).toBeCallableWith({} as Tensor, 0, {} as Tensor, 1, { reduce: "prod" });
});

test("the type of a gradient is that of the differentiated argument", () => {
  type Params = { w: Tensor; layers: { b: Tensor }[] };
  const loss = (_: Params, x: Tensor) => x;
  expectTypeOf(grad(loss)).toEqualTypeOf<(params: Params, x: Tensor) => Params>();
  expectTypeOf(valueAndGrad(loss)).returns.toEqualTypeOf<[value: Tensor, gradient: Params]>();
  expectTypeOf(grad((x) => x))
    .parameter(0)
    .toEqualTypeOf<Tensor>();
  expectTypeOf(vjp<Tensor, { y: Tensor }>)
    .returns.toHaveProperty("pullback")
    .toEqualTypeOf<(gradient: { y: Tensor }) => Tensor>();
  expectTypeOf(checkGradient<Params>)
    .parameter(1)
    .toEqualTypeOf<Params>();
  expectTypeOf(count<string>)
    .returns.toHaveProperty("result")
    .toEqualTypeOf<string>();
  expectTypeOf(mapTensors<Params>).returns.toEqualTypeOf<Params>();
  expectTypeOf(js().scope<{ y: Tensor }>).returns.toEqualTypeOf<{ y: Tensor }>();
});
