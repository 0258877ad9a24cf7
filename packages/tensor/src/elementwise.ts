import {
  broadcastShapes,
  checkNotBool,
  checkSameType,
  type DType,
  eachBroadcastRow,
  numberArray,
  type TypedArray,
} from "@qkv/core";
import { checkTensor, type Backward, type Op } from "./op.js";
import { isTensor, Tensor } from "./tensor.js";

/** A tensor, or a number, which broadcasts. */
export type Operand = Tensor | number;

/** The loop over a row of a unary function: `out[o + k] = f(x[i + k * di])` for k < n. */
export type UnaryRow<A> = (
  out: TypedArray,
  o: number,
  x: TypedArray,
  i: number,
  di: number,
  n: number,
  attributes: A,
) => void;

/** The loop over a row of a binary function: `out[o + k] = f(a[i + k * di], b[j + k * dj])` for k < n. */
export type BinaryRow = (
  out: TypedArray,
  o: number,
  a: TypedArray,
  i: number,
  di: number,
  b: TypedArray,
  j: number,
  dj: number,
  n: number,
) => void;

/**
 * An elementwise op with one input. `row` is the loop over a row, which has no function call per element; the loops over the other
 * axes are here.
 */
export function unaryOp<A = undefined>(
  name: string,
  row: UnaryRow<A>,
  backward?: (call: Backward<A>) => Tensor | undefined,
  resultType?: DType,
): Op<A> {
  return {
    name,
    infer: (inputs) => [{ shape: inputs[0]!.shape, dtype: resultType ?? inputs[0]!.dtype }],
    kernel([x], [out], attributes) {
      eachBroadcastRow(x!.shape, [out!, x!], (at, step, length) =>
        row(out!.array, at[0]!, x!.array, at[1]!, step[1]!, length, attributes),
      );
    },
    ...(backward && { backward: (call: Backward<A>) => [backward(call)] }),
  };
}

/** An elementwise op with two inputs, with broadcasting. `backward` returns the gradient of each input. */
export function binaryOp(
  name: string,
  row: BinaryRow,
  backward?: Op<undefined>["backward"],
  resultType?: DType,
): Op<undefined> {
  return {
    name,
    infer(inputs) {
      const a = inputs[0]!;
      const b = inputs[1]!;
      checkSameType(name, "b", b.dtype, a.dtype);
      if (!resultType) checkNotBool(name, "a", a.dtype);
      return [{ shape: broadcastShapes(name, a.shape, b.shape), dtype: resultType ?? a.dtype }];
    },
    kernel([a, b], [out]) {
      eachBroadcastRow(out!.shape, [out!, a!, b!], (at, step, length) =>
        row(out!.array, at[0]!, a!.array, at[1]!, step[1]!, b!.array, at[2]!, step[2]!, length),
      );
    },
    ...(backward && { backward }),
  };
}

/** Both operands as tensors. A number gets the dtype and device of the other operand. */
export function operands(fn: string, a: Operand, b: Operand): [Tensor, Tensor] {
  const like = isTensor(b) ? b : checkTensor(fn, "a", a);
  return [
    like === a || isTensor(a) ? a : scalarLike(fn, "a", a, like),
    like === b ? b : scalarLike(fn, "b", b, like),
  ];
}

/** A number as a tensor of shape []. */
export function scalarLike(
  fn: string,
  argument: string,
  value: unknown,
  { dtype, device }: Pick<Tensor, "dtype" | "device">,
): Tensor {
  return new Tensor(device, device.fromHost(dtype, numberArray(fn, argument, value, dtype)), []);
}
