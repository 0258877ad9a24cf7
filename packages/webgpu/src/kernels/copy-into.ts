import { bytesPerElement, sizeOf, type View } from "@qkv/tensor";
import type { GpuBuffer } from "../buffers.js";
import type { Context } from "../context.js";
import { Params } from "../params.js";
import { bitsAt } from "../wgsl/element.js";
import { bindingsText, gridFor, mainText, threads } from "../wgsl/grid.js";
import { traversal } from "../wgsl/traversal.js";

/** Layout of the target of a copy: strides and offset in its buffer, in elements. */
export type Target = { readonly strides: readonly number[]; readonly offset: number };

/**
 * Copies a view into a buffer, bit for bit. Elements of less than 4 bytes share a word with others that other threads may
 * write, so atomics change only their own bits.
 */
export function copyInto(
  { store, engine }: Context,
  op: string,
  source: Pick<View, "storage" | "dtype" | "shape" | "strides" | "offset">,
  buffer: GpuBuffer,
  target: Target,
): void {
  const count = sizeOf(source.shape);
  const params = new Params().u32("count", count);
  const offsets = traversal(op, params, "walk", source.shape, { sourceAt: source, targetAt: target });
  const bytes = bytesPerElement(source.dtype);
  engine.record({
    op,
    key: `copyInto:${bytes}:${offsets.rank}`,
    text: () => `${params.declaration}
${bindingsText({ source: "u32" }, { target_: bytes === 4 ? "u32" : "atomic<u32>" })}
${mainText(
  threads,
  `  let n = group * ${threads}u + thread;
  if (n >= p.count) { return; }
  ${offsets.text("n")}
  let bits = ${bitsAt("source", bytes, "u32(sourceAt)")};
  ${storeBitsText("target_", bytes, "u32(targetAt)")}`,
)}`,
    reads: [store.read(source)],
    writes: [buffer],
    params,
    groups: gridFor(Math.ceil(count / threads)),
  });
}

/** WGSL that stores `bits` as element `index` of an array of words, which are atomic if elements have less than 4 bytes. */
export function storeBitsText(name: string, bytes: number, index: string): string {
  if (bytes === 4) return `${name}[${index}] = bits;`;
  const [each, mask] = bytes === 2 ? [2, "65535u"] : [4, "255u"];
  return `let shift = ${8 * bytes}u * ((${index}) % ${each}u);
  atomicAnd(&${name}[(${index}) / ${each}u], ~(${mask} << shift));
  atomicOr(&${name}[(${index}) / ${each}u], bits << shift);`;
}
