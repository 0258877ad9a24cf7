import { checks, ShapeError, type Checks } from "@qkv/core";
import type { Mask } from "@qkv/attention-contract";
import { checkTensor, reshape, zeros, type Tensor } from "@qkv/tensor";
import type { AttentionOptions } from "../attention.js";
import { attendTraced, checkTrace, type Trace } from "./attend-heads.js";

/** Options of a call of attention without heads. */
export type RowsOptions = {
  /** Default: every query sees every key. */
  mask?: Mask;
  /** Collects traced tensors. Default: nothing is traced. */
  trace?: Trace;
};

/** Attention with a single head and no axis for it: query `[B, T, C]`, key `[B, S, C]`, value `[B, S, Cv]` to `[B, T, Cv]`. */
export function attendRows(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  { trace, ...options }: AttentionOptions & RowsOptions,
): Tensor {
  const asHead = (x: Tensor) => reshape(x, [x.shape[0]!, 1, x.shape[1]!, x.shape[2]!]);
  const keyValues = { key: [asHead(key)], value: [asHead(value)], positions: { start: 0 } };
  const output = attendTraced(asHead(query), keyValues, options, trace); // [B, 1, T, Cv]
  return reshape(output, [query.shape[0]!, query.shape[1]!, value.shape[2]!]);
}

/**
 * Attention with given scores `[B, T, S]`. They are passed as a bias on dot products of zeros, so masks, fully masked rows and
 * gradients are handled as in any other attention.
 */
export function attendByScores(scores: Tensor, value: Tensor, { mask, trace }: RowsOptions): Tensor {
  const { shape, dtype, device } = scores;
  const [B, T, S] = shape as [number, number, number];
  const nothing = (length: number) => zeros([B, length, 1], { dtype, device });
  const bias = reshape(scores, [B, 1, T, S]);
  return attendRows(nothing(T), nothing(S), value, {
    bias,
    ...(mask && { mask }),
    ...(trace && { trace }),
  });
}

/** Refuses a tensor that does not have three axes, the last of the given width. */
export function checkWidth(fn: string, argument: string, x: Tensor, axes: string, width?: number): void {
  const { shape } = checkTensor(fn, argument, x);
  if (shape.length === 3 && (width === undefined || shape[2] === width)) return;
  const expected = `[${axes}, ${width ?? "C"}]`;
  const fix = "give batches of rows, as wide as the layer was made for, without an axis for heads.";
  checks(fn).refuse({ argument, received: shape, expected, fix }, ShapeError);
}

/** Returns the options of a call of attention without heads. Refuses unknown ones. */
export function rowsOptions(fn: string, options: RowsOptions | undefined): RowsOptions {
  const check: Checks = checks(fn);
  const checked = check.options(options, ["mask", "trace"]);
  checkTrace(check, checked.trace);
  return checked;
}

/** Returns a configuration of widths. Refuses one that is not an integer of at least 1. */
export function checkWidths<T extends object>(
  fn: string,
  config: T,
  names: readonly (keyof T & string)[],
): T {
  const check = checks(fn);
  const widths = check.options<object>(config, names as readonly never[], "config") as T;
  for (const name of names)
    check.whole({ [name]: widths[name] }, { min: 1, fix: "count the numbers of one row." });
  return widths;
}
