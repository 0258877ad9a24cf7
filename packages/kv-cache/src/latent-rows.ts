import { checks, ShapeError } from "@qkv/core";
import { slice, type Tensor } from "@qkv/tensor";
import type { RowLayout } from "./row-layout.js";

/**
 * The layout of multi-head latent attention: one buffer of keys `[B, 1, capacity, latentDim + ropeDim]`, whose first
 * `latentDim` numbers, the latents, are the values.
 */
export function latentRows(latentDim: number): RowLayout {
  const latent = (key: Tensor) => slice(key, 3, 0, latentDim);
  return {
    names: ["key"],
    keyDim: latentDim,
    rows(key, value) {
      const refuse = (
        argument: string,
        received: unknown,
        expected: string,
        fix: string,
        kind?: typeof ShapeError,
      ) => checks("update").refuse({ argument, received, expected, fix }, kind);
      const fix = "give the latent followed by the rotary key as key, and the latent as value.";
      if (key.shape[3]! < latentDim)
        refuse(
          "key",
          key.shape,
          `[B, 1, T, ${latentDim} or more]: a latent and its rotary key`,
          fix,
          ShapeError,
        );
      if (value.shape[3] !== latentDim)
        refuse(
          "value",
          value.shape,
          `[B, 1, T, latentDim = ${latentDim}]: the latent alone`,
          fix,
          ShapeError,
        );
      if (!sameNumbers(latent(key), value))
        refuse(
          "value",
          "other numbers",
          `the first ${latentDim} numbers of \`key\`, which are stored once`,
          fix,
        );
      return { key };
    },
    views: ({ key }) => ({ key: key!, value: latent(key!) }),
  };
}

/** True if both tensors are the same view of one array, or hold equal numbers. */
function sameNumbers(a: Tensor, b: Tensor): boolean {
  const sameView =
    a.storage === b.storage &&
    a.offset === b.offset &&
    a.strides.every((stride, axis) => stride === b.strides[axis]);
  if (sameView) return true;
  const numbers = b.data;
  return a.data.every((number, i) => Object.is(number, numbers[i]));
}
