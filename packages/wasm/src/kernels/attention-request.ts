import type { AttentionRequest, View } from "@qkv/tensor";
import type { Call } from "../call.js";

/**
 * Writes a call of attention to memory, as assembly/request.ts reads it: 32-bit words, in that order.
 *
 * @param query - [B, H, T, D], at `pointers[0]`; the key parts, then the value parts, lie at the pointers after it, then
 *   the output and the logarithms of the sums.
 * @returns Where the request begins.
 */
export function writeRequest(
  call: Call,
  query: View,
  keys: readonly View[],
  values: readonly View[],
  pointers: readonly number[],
  { plan, scale, softcap }: AttentionRequest,
): number {
  const [, H, T, D] = query.shape as [number, number, number, number];
  const keyLength = keys.reduce((sum, { shape }) => sum + shape[2]!, 0);
  const tiles = plan.rows * plan.columns;
  const part = ({ shape, strides }: View, pointer: number) => [shape[2]!, pointer, ...strides];
  const words = new Uint32Array([
    ...[H, T, keyLength, D, values[0]!.shape[3]!, H / keys[0]!.shape[1]!],
    ...new Uint32Array(new Float32Array([scale, softcap]).buffer),
    ...[plan.rows, plan.columns, plan.batches === 1 ? 0 : plan.heads * tiles, plan.heads === 1 ? 0 : tiles],
    ...[call.copy(plan.classes), call.copy(plan.bitsAt), call.copy(plan.bits)],
    ...[pointers[0]!, ...query.strides],
    ...pointers.slice(-2),
    keys.length,
    ...keys.flatMap((view, i) => part(view, pointers[1 + i]!)),
    ...values.flatMap((view, i) => part(view, pointers[1 + keys.length + i]!)),
  ]);
  return call.copy(words);
}
