import { isPaged, type KeyValueSegment } from "@qkv/attention-contract";
import type { DType } from "@qkv/tensor";
import type { GpuBuffer } from "../../buffers.js";
import type { ForwardContext } from "../../context.js";
import type { Params } from "../../params.js";
import type { ViewLayout } from "../../store.js";
import { arrayType, numberAt } from "../../wgsl/element.js";

/** Rows that a shader reads in place: buffers, bindings with their types, and WGSL of `NAME4(b, h, i, d)`. */
export type StoredRowsText = {
  /** Key of the text, together with the size of a row. */
  readonly key: string;
  readonly reads: readonly GpuBuffer[];
  readonly bindings: Readonly<Record<string, string>>;
  /** WGSL of the function that returns numbers 4d … 4d + 3 of row i; 0 beyond its end. */
  readonly text: string;
};

/**
 * Layout of queries, or of a segment of keys or values, as stored: strided, or paged with elements of 4, 2 or 1 bytes and
 * scales.
 *
 * @param tableAt - Offset of the block table in `words`, if the segment is paged.
 */
export function storedRows(
  { store }: ForwardContext,
  params: Params,
  name: string,
  segment: KeyValueSegment<ViewLayout>,
  batches: number,
  tableAt: number,
): StoredRowsText {
  const paged = isPaged(segment) ? segment : undefined;
  const data = paged?.data ?? (segment as ViewLayout);
  const scale = paged?.scale;
  const { dtype, shape, strides, offset } = data;
  const size = shape[3]!;
  // Numbers of a row are adjacent; if rows also begin at multiples of 4, they are read four at a time.
  const unitStride = size <= 1 || strides[3] === 1;
  const vec4Aligned = unitStride && [offset, ...strides.slice(0, 3), size].every((n) => n % 4 === 0);
  params.u32(`${name}At`, offset).u32(`${name}Batch`, strides[0]!).u32(`${name}Head`, strides[1]!);
  params.u32(`${name}Row`, strides[2]!);
  if (!unitStride) params.u32(`${name}Column`, strides[3]!);
  if (paged) {
    params.u32(`${name}Table`, tableAt).u32(`${name}Width`, paged.table.length / Math.max(1, batches));
    params.u32(`${name}Length`, paged.blockLength);
  }
  // One scale per token, or per channel.
  const byRow = scale !== undefined && scale.shape[3] === 1 && (scale.shape[2]! > 1 || size > 1);
  if (scale) {
    params.u32(`${name}ScaleAt`, scale.offset).u32(`${name}ScaleBatch`, scale.strides[0]!);
    params.u32(`${name}ScaleHead`, scale.strides[1]!);
    params.u32(`${name}ScaleStep`, scale.strides[byRow ? 2 : 3]!);
  }
  const kind = scale ? (byRow ? "row" : "column") : "";
  return {
    key: [dtype, vec4Aligned, unitStride, !!paged, kind].join(),
    reads: [store.read(data), ...(scale ? [store.read(scale)] : [])],
    bindings: {
      [name]: vec4Aligned && dtype === "float32" ? "vec4<f32>" : arrayType(dtype),
      ...(scale && { [`${name}Scale`]: "f32" }),
    },
    text: `fn ${name}4(b: u32, h: u32, i: u32, d: u32) -> vec4<f32> {
  ${
    paged
      ? `let block = words[p.${name}Table + b * p.${name}Width + i / p.${name}Length];
  let row = i % p.${name}Length;`
      : `let block = b;
  let row = i;`
  }
  let at = p.${name}At + block * p.${name}Batch + h * p.${name}Head + row * p.${name}Row;
  ${scale ? `let scaleAt = p.${name}ScaleAt + block * p.${name}ScaleBatch + h * p.${name}ScaleHead;` : ""}
  return ${vec4Aligned ? alignedText(name, dtype) : unalignedText(name, dtype, size, unitStride)}${scale ? ` * ${scaleText(name, size, byRow)}` : ""};
}`,
  };
}

function alignedText(name: string, dtype: DType): string {
  if (dtype === "float32") return `${name}[at / 4u + d]`;
  // Two words contain four numbers.
  if (dtype === "float16")
    return `vec4<f32>(unpack2x16float(${name}[at / 2u + 2u * d]), unpack2x16float(${name}[at / 2u + 2u * d + 1u]))`;
  return `vec4<f32>(${[0, 1, 2, 3].map((j) => `f32(${numberAt(name, dtype, `at + d * 4u + ${j}u`)})`).join(", ")})`;
}

function unalignedText(name: string, dtype: DType, size: number, unitStride: boolean): string {
  const step = unitStride ? "" : ` * p.${name}Column`;
  const number = (j: number) =>
    `f32(${numberAt(name, dtype, `at + min(d * 4u + ${j}u, ${Math.max(1, size) - 1}u)${step}`)})`;
  const isFull = size % 4 === 0; // no vec4 is cut off by the end of a row
  const numbers = [0, 1, 2, 3].map((j) =>
    isFull ? number(j) : `select(0.0, ${number(j)}, d * 4u + ${j}u < ${size}u)`,
  );
  return `vec4<f32>(${numbers.join(", ")})`;
}

function scaleText(name: string, size: number, byRow: boolean): string {
  if (byRow) return `${name}Scale[scaleAt + row * p.${name}ScaleStep]`;
  const numbers = [0, 1, 2, 3].map(
    (j) => `${name}Scale[scaleAt + min(d * 4u + ${j}u, ${Math.max(1, size) - 1}u) * p.${name}ScaleStep]`,
  );
  return `vec4<f32>(${numbers.join(", ")})`;
}
