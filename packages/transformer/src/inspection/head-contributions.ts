import { checks, type Checks } from "@qkv/core";
import type { LinearParams } from "@qkv/attention";
import { checkTensor, einsum, reshape, type Tensor } from "@qkv/tensor";
import { asFloats } from "../conversions/as-floats.js";
import { checkParams } from "../layers/check-params.js";

/**
 * Contribution of each head to the residual stream: its columns of the output matrix times its output. The
 * contributions add up to the output of attention, without the output bias.
 *
 * @param heads - `[B, H, T, D]`, traced with the name `heads`.
 * @param output - The output projection of the layer, `[C, H · D]`.
 * @returns `[B, H, T, C]`
 * @throws {ArgumentError} If the projection does not have H · D columns.
 * @see "A Mathematical Framework for Transformer Circuits" (2021), https://transformer-circuits.pub/2021/framework
 *
 * @example
 * ```ts
 * import { tensor } from "@qkv/tensor";
 * import { headContributions } from "@qkv/transformer/inspection";
 *
 * const heads = tensor([[[[2]], [[3]]]]); // [B, H, T, D]
 * headContributions(heads, { weight: tensor([[1, 10]]) }).toNested(); // => [[[[2]], [[30]]]]
 * ```
 */
export function headContributions(heads: Tensor, output: LinearParams): Tensor {
  const check: Checks = checks("headContributions");
  checkTensor("headContributions", "heads", heads);
  checkParams(check, output, ["weight"]);
  const [, H = 0, , D = 0] = heads.shape;
  const [C = 0, width] = output.weight.shape;
  if (width !== H * D) {
    const fix = "give the heads and the output projection of one layer.";
    const expected = `${H * D} columns, for ${H} heads of ${D}`;
    check.refuse({ argument: "output.weight", received: width, expected, fix });
  }
  return einsum("bhtd,chd->bhtc", heads, reshape(asFloats(output.weight), [C, H, D]));
}
