import {
  checkNoBroadcast,
  checks,
  copyStrided,
  normalizeAxis,
  refuse,
  refuseShape,
  type Shape,
} from "@qkv/core";
import type { Kernel } from "../contracts.js";
import { checkTensor, readOf, viewOf } from "../op.js";
import type { Tensor } from "../tensor.js";

/**
 * Copies `source` into `target` in place, from index `start` of an axis on, as caches append new keys. The change is visible in all
 * views of the target. Only updates of caches and optimizers write to tensors; all other functions return new ones.
 *
 * @param target - Dtype and shape of `source` except for the axis, whose length must be at least `start` plus that of `source`.
 * @throws {ShapeError} If the source does not fit.
 *
 * @example
 * ```ts
 * import { tensor, write, zeros } from "@qkv/tensor";
 *
 * const buffer = zeros([4]);
 * write(buffer, 0, 1, tensor([7, 8]));
 * buffer.toNested(); // => [0, 7, 8, 0]
 * ```
 */
export function write(target: Tensor, axis: number, start: number, source: Tensor): void {
  const at = normalizeAxis("write", axis, checkTensor("write", "target", target).shape.length);
  checkTensor("write", "source", source);
  if (!Number.isSafeInteger(start)) checks("write").whole({ start });
  checkNoBroadcast("write", "target", target);
  if (target.device !== source.device || target.dtype !== source.dtype) {
    refuse(
      "write",
      "source",
      `${source.dtype} on ${source.device.name}`,
      `${target.dtype} on ${target.device.name}, as the target is`,
      "cast or move the source first.",
    );
  }
  if (!fits(source.shape, target.shape, at, start)) {
    refuseShape(
      "write",
      "source",
      source.shape,
      `the target's shape [${target.shape.join(", ")}], with at most ${target.shape[at]! - start} on axis ${at} from ${start} on`,
      "grow the target first, or write less.",
    );
  }
  // A remote device needs its own kernel; without one, numbers are read back, changed and uploaded again.
  const own = target.device.kernels["write"] as Kernel<{ axis: number; start: number }> | undefined;
  const ran = own && own([source], [target], { axis: at, start }) !== false;
  if (own) target.device.countCall("write", ran ? "device" : "plain");
  if (ran) return;
  const to = viewOf(target);
  copyStrided(readOf(source), { ...to, offset: to.offset + start * to.strides[at]! });
}

/** True if a target has room for `rows` from index `start` of an axis on. */
function fits(rows: Shape, target: Shape, axis: number, start: number): boolean {
  if (rows.length !== target.length || start < 0) return false;
  for (let a = 0; a < rows.length; a++) {
    if (a === axis ? start + rows[a]! > target[a]! : rows[a] !== target[a]) return false;
  }
  return true;
}
