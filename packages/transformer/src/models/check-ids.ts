import { ArgumentError, ShapeError } from "@qkv/core";
import { isTensor, tensor, type Device, type Tensor } from "@qkv/tensor";

/** Token ids `[B, T]` on a device: given so, or as a list for one sequence. */
export function checkIds(ids: Tensor | readonly number[], device: Device): Tensor {
  if (!isTensor(ids)) return tensor(checkWhole(ids), { shape: [1, ids.length], dtype: "int32", device });
  if (ids.shape.length === 2) return ids;
  throw new ShapeError({
    fn: "apply",
    argument: "ids",
    received: ids.shape,
    expected: "[B, T]: a row of token ids for each sequence",
    fix: "reshape the ids, or give a plain list for one sequence.",
  });
}

function checkWhole(ids: readonly number[]): readonly number[] {
  const wrong = ids.find((id) => !Number.isInteger(id));
  if (wrong === undefined) return ids;
  throw new ArgumentError({
    fn: "apply",
    argument: "ids",
    received: wrong,
    expected: "whole numbers",
    fix: "give token ids as the tokenizer's `encode` returns them.",
  });
}
