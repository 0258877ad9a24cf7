import { checks, ShapeError } from "@qkv/core";
import { checkTensor, run, type Op, type Tensor } from "@qkv/tensor";
import { checkLayout, type RotaryLayout } from "./check-layout.js";

type Attributes = { layout: RotaryLayout; inverse: boolean };

export const rotateOp: Op<Attributes> = {
  name: "rotate",
  infer(inputs) {
    const x = inputs[0]!;
    if (x.shape.length !== 4) {
      const expected = "[B, H, T, D]: batch, heads, positions, head size";
      const fix = "add the axes that are missing with `reshape`.";
      checks("rotate").refuse({ argument: "x", received: x.shape, expected, fix }, ShapeError);
    }
    const half = inputs[1]!.shape.at(-1);
    checkAngles("cos", inputs[1]!, x, half);
    checkAngles("sin", inputs[2]!, x, half);
    return [{ shape: x.shape, dtype: x.dtype }];
  },
  // FLOPs: four products and two sums per rotated pair.
  flops([x, cos]) {
    const [B, H, T] = x!.shape as [number, number, number, number];
    return 6 * B * H * T * cos!.shape.at(-1)!;
  },
  kernel([x, cos, sin], [out], { layout, inverse }) {
    const [B, H, T, D] = x!.shape as [number, number, number, number];
    const half = cos!.shape.at(-1)!;
    const [xb, xh, xt, xd] = x!.strides as [number, number, number, number];
    const angles = [cos!, sin!].map(({ shape, strides, offset }) => ({
      offset,
      b: shape.length === 3 && shape[0] !== 1 ? strides[0]! : 0,
      t: strides.at(-2)!,
      i: strides.at(-1)!,
    })) as [Steps, Steps];
    // Pair i is (i · step, i · step + partner).
    const [step, partner] = layout === "half" ? [1, half] : [2, 1];
    const sign = inverse ? -1 : 1;
    let o = 0;
    for (let b = 0; b < B; b++) {
      for (let h = 0; h < H; h++) {
        for (let t = 0; t < T; t++, o += D) {
          const from = x!.offset + b * xb + h * xh + t * xt;
          const c = angles[0].offset + b * angles[0].b + t * angles[0].t;
          const s = angles[1].offset + b * angles[1].b + t * angles[1].t;
          for (let i = 0; i < half; i++) {
            const cosine = cos!.array[c + i * angles[0].i]!;
            const sine = sign * sin!.array[s + i * angles[1].i]!;
            const a = x!.array[from + i * step * xd]!;
            const z = x!.array[from + (i * step + partner) * xd]!;
            out!.array[o + i * step] = a * cosine - z * sine;
            out!.array[o + i * step + partner] = z * cosine + a * sine;
          }
          for (let d = 2 * half; d < D; d++) out!.array[o + d] = x!.array[from + d * xd]!;
        }
      }
    }
  },
  // The inverse of a rotation is its transpose. Angles are constants.
  backward: ({ inputs: [, cos, sin], gradients: [dy], attributes: { layout, inverse } }) => [
    run(rotateOp, [dy!, cos!, sin!], { layout, inverse: !inverse }),
    undefined,
    undefined,
  ],
};

function checkAngles(argument: string, { shape, dtype }: Tensor, x: Tensor, half: number | undefined): void {
  const rank = shape.length;
  const fits =
    (rank === 2 || (rank === 3 && (shape[0] === x.shape[0] || shape[0] === 1))) &&
    shape[rank - 2] === x.shape[2] &&
    shape[rank - 1]! * 2 <= x.shape[3]! &&
    shape[rank - 1] === half;
  if (fits && dtype === x.dtype) return;
  checks("rotate").refuse(
    {
      argument,
      received: dtype === x.dtype ? shape : dtype,
      expected: `${x.dtype} [T, r/2] or [B, T, r/2] with r at most D, where x [B, H, T, D] is [${x.shape.join(", ")}]`,
      fix: "give one row of angles for each position of x.",
    },
    ShapeError,
  );
}

type Steps = { offset: number; b: number; t: number; i: number };

/**
 * Rotates pairs of numbers of each head by the given angles. Numbers beyond the first `r` stay unchanged.
 *
 * @param x - `[B, H, T, D]`
 * @param cos - Cosines `[T, r/2]`, or `[B, T, r/2]` if sequences of the batch have different positions.
 * @param sin - Sines, likewise.
 * @param options - `layout`: the numbers that form a pair. Default `half`, as in Llama checkpoints of Hugging Face.
 * @returns `[B, H, T, D]`
 * @throws {ShapeError} If the angles do not fit x. {@link ArgumentError} if there is no such layout.
 * @see "RoFormer" (2021), arXiv:2104.09864; ONNX RotaryEmbedding
 *
 * @example
 * ```ts
 * import { tensor } from "@qkv/tensor";
 * import { rotate } from "@qkv/attention";
 *
 * const x = tensor([1, 0, 5], { shape: [1, 1, 1, 3] }); // [B, H, T, D]; the third number is not rotated
 * rotate(x, tensor([[0]]), tensor([[1]])).toNested(); // => [[[[0, 1, 5]]]]
 * ```
 */
export function rotate(x: Tensor, cos: Tensor, sin: Tensor, options?: { layout?: RotaryLayout }): Tensor {
  const { layout = "half" } = checks("rotate").options(options, ["layout"]);
  checkLayout("rotate", layout);
  const inputs = [
    checkTensor("rotate", "x", x),
    checkTensor("rotate", "cos", cos),
    checkTensor("rotate", "sin", sin),
  ];
  return run(rotateOp, inputs, { layout, inverse: false });
}
