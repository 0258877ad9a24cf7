import type { AttentionRequest, View } from "@qkv/tensor";
import { Call, type Exports } from "../call.js";
import type { WasmMemory } from "../memory.js";

/**
 * Fused attention over the tiles of a plan. Keys and values are read in place; only rows that do not lie one number
 * after the other, tiles that reach over two parts, and values whose size is no multiple of 8 are copied, a tile at a
 * time. Expressions, sinks and traces run on the plain device, and so does a call that meets a number that is none.
 */
export function attentionKernel(exports: Exports, memory: WasmMemory) {
  const { attentionScratch, beginTile, endTile, gatherRows, mixTile, scoreTile } = exports as Kernels;
  return (
    inputs: readonly View[],
    outputs: readonly View[],
    request: AttentionRequest & { want: readonly string[] },
  ): boolean => {
    const { parts, plan, scale, softcap, scoreMod, weightMod, hasSinks, want } = request;
    const query = inputs[0]!;
    if (query.dtype !== "float32" || scoreMod || weightMod || hasSinks || want.length > 0) return false;
    const keys = inputs.slice(1, 1 + parts);
    const values = inputs.slice(1 + parts, 1 + 2 * parts);
    const [B, H, T, D] = query.shape as [number, number, number, number];
    const Dv = values[0]!.shape[3]!;
    const S = keys.reduce((sum, { shape }) => sum + shape[2]!, 0);
    if (B * H * T * D * Dv * S === 0 || plan.queryTile !== 64 || plan.keyTile !== 64) return false;
    const group = H / keys[0]!.shape[1]!;
    const width = Math.ceil(Dv / 8) * 8;

    const call = new Call(memory);
    const pointers = call.place(inputs.slice(0, 1 + 2 * parts), outputs);
    const [output, lse] = pointers.slice(-2) as [number, number];
    const bits = call.words(plan.bits);
    const scratch = call.scratch(attentionScratch(D, width));
    const keyRows = rowsReader(
      keys,
      pointers.slice(1, 1 + parts),
      call.scratch(64 * D * 4),
      D,
      D,
      gatherRows,
    );
    const valueRows = rowsReader(
      values,
      pointers.slice(1 + parts),
      call.scratch(64 * width * 4),
      Dv,
      width,
      gatherRows,
    );
    const [qb, qh, qt, qd] = query.strides as [number, number, number, number];

    let finite = true;
    for (let b = 0; b < B && finite; b++) {
      for (let h = 0; h < H && finite; h++) {
        const kvHead = Math.floor(h / group);
        const firstTile =
          ((plan.batches === 1 ? 0 : b) * plan.heads + (plan.heads === 1 ? 0 : h)) * plan.rows;
        for (let row = 0; row < plan.rows && finite; row++) {
          const t = row * 64;
          const count = Math.min(64, T - t);
          const from = pointers[0]! + 4 * (b * qb + h * qh + t * qt);
          beginTile(from, qt, qd, count, D, width, scale, scratch);
          for (let column = 0; column < plan.columns && finite; column++) {
            const tile = (firstTile + row) * plan.columns + column;
            const whole = plan.classes[tile];
            if (whole === 0) continue;
            const start = column * 64;
            const length = Math.min(64, S - start);
            const [key, keyStride] = keyRows(b, kvHead, start, length);
            const [value, valueStride] = valueRows(b, kvHead, start, length);
            const mask = whole === 1 ? bits + 4 * plan.bitsAt[tile]! : 0;
            scoreTile(key, keyStride, length, count, D, softcap, mask, scratch);
            finite = mixTile(value, valueStride, length, count, D, width, scratch) !== 0;
          }
          const place = (b * H + h) * T + t;
          endTile(output + 4 * place * Dv, lse + 4 * place, count, D, width, Dv, scratch);
        }
      }
    }
    call.end();
    return finite;
  };
}

type Kernels = Record<
  "attentionScratch" | "beginTile" | "endTile" | "gatherRows" | "mixTile" | "scoreTile",
  (...args: number[]) => number
>;

/** Finds a stretch of stored rows of one batch and head: its address, and the numbers from one row to the next. */
function rowsReader(
  parts: readonly View[],
  pointers: readonly number[],
  scratch: number,
  dim: number,
  width: number,
  gatherRows: (...args: number[]) => number,
) {
  const starts: number[] = [];
  let end = 0;
  for (const { shape } of parts) {
    starts.push(end);
    end += shape[2]!;
  }
  return (b: number, head: number, start: number, length: number): [pointer: number, row: number] => {
    let part = parts.length - 1;
    while (starts[part]! > start) part -= 1;
    let done = 0;
    while (done < length) {
      const { shape, strides } = parts[part]!;
      const [sb, sh, ss, sd] = strides as [number, number, number, number];
      const within = start + done - starts[part]!;
      const count = Math.min(length - done, shape[2]! - within);
      const from = pointers[part]! + 4 * (b * sb + head * sh + within * ss);
      if (count === length && sd === 1 && dim === width) return [from, ss];
      if (count > 0) gatherRows(from, ss, sd, count, dim, width, scratch + 4 * done * width);
      done += count;
      part += 1;
    }
    return [scratch, width];
  };
}
