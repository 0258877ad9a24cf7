import { checks, ShapeError } from "@qkv/core";
import type { Mask } from "@qkv/attention-contract";
import { checkTensor, logicalNot, reshape, type Tensor } from "@qkv/tensor";
import { maskTensor } from "./mask-tensor.js";

/**
 * Converts the `attn_mask` of PyTorch's `nn.MultiheadAttention`, in which `true` means *ignore*: the opposite of the
 * usual meaning, including that of `scaled_dot_product_attention`.
 *
 * @param ignored - bool, `[T, S]`, or `[B · H, T, S]` as that module takes it.
 * @param numHeads - H, needed for three axes.
 * @throws {ArgumentError} If the tensor is not bool. {@link ShapeError} if its axes do not fit.
 *
 * @example
 * ```ts
 * import { tensor, zeros } from "@qkv/tensor";
 * import { attentionWeights, fromTorchMHA } from "@qkv/attention";
 *
 * const x = zeros([1, 1, 2, 4]); // [B, H, T, D]: all keys match equally
 * const ignored = tensor([[false, true], [false, false]]); // torch.triu(ones, 1).bool()
 * [...attentionWeights(x, x, { mask: fromTorchMHA(ignored) }).data]; // => [1, 0, 0.5, 0.5]
 * ```
 */
export function fromTorchMHA(ignored: Tensor, numHeads?: number): Mask {
  const visible = inverted("fromTorchMHA", ignored);
  if (numHeads !== undefined) checks("fromTorchMHA").whole({ numHeads }, { min: 1, unit: "heads" });
  const { shape } = ignored;
  if (shape.length === 2) return maskTensor(visible);
  const [rows, T, S] = shape as [number, number, number];
  if (shape.length !== 3 || !numHeads || rows % numHeads !== 0) {
    return wrongShape(
      "fromTorchMHA",
      shape,
      "[T, S], or [B · H, T, S] with `numHeads` = H",
      "pass the number of heads for three axes; for a `key_padding_mask` use fromTorchKeyPadding.",
    );
  }
  return maskTensor(reshape(visible, [rows / numHeads, numHeads, T, S]));
}

/**
 * Converts the `key_padding_mask` of PyTorch's `nn.MultiheadAttention`, in which `true` means *ignore*.
 *
 * @param ignored - bool, `[B, S]`.
 * @throws {ArgumentError} If the tensor is not bool. {@link ShapeError} if it does not have two axes.
 *
 * @example
 * ```ts
 * import { tensor, zeros } from "@qkv/tensor";
 * import { attentionWeights, fromTorchKeyPadding } from "@qkv/attention";
 *
 * const x = zeros([1, 1, 2, 4]); // [B, H, T, D]: all keys match equally
 * [...attentionWeights(x, x, { mask: fromTorchKeyPadding(tensor([[false, true]])) }).data]; // => [1, 0, 1, 0]
 * ```
 */
export function fromTorchKeyPadding(ignored: Tensor): Mask {
  const visible = inverted("fromTorchKeyPadding", ignored);
  const [B, S] = ignored.shape as [number, number];
  if (ignored.shape.length !== 2) {
    wrongShape(
      "fromTorchKeyPadding",
      ignored.shape,
      "[B, S]",
      "give a row of keys per batch element; an `attn_mask` goes to fromTorchMHA.",
    );
  }
  return maskTensor(reshape(visible, [B, 1, 1, S]));
}

function inverted(fn: string, ignored: Tensor): Tensor {
  if (checkTensor(fn, "ignored", ignored).dtype === "bool") return logicalNot(ignored);
  return checks(fn).refuse({
    argument: "ignored",
    received: ignored.dtype,
    expected: "bool: true where the query ignores the key",
    fix: "a float mask is added to scores: pass it as `bias`, unchanged.",
  });
}

function wrongShape(fn: string, received: readonly number[], expected: string, fix: string): never {
  return checks(fn).refuse({ argument: "ignored", received, expected, fix }, ShapeError);
}
