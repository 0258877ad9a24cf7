import type { ForwardContext } from "../../context.js";
import type { Params } from "../../params.js";
import type { ViewLayout } from "../../store.js";
import type { StoredRowsText } from "./stored-text.js";

/** Reads a float32 tensor with contiguous rows. */
export function contiguousRows(
  { store }: ForwardContext,
  params: Params,
  name: string,
  x: ViewLayout,
): StoredRowsText {
  const { shape, strides, offset } = x;
  const vec4Aligned = [offset, ...strides.slice(0, 3), shape[3]!].every((n) => n % 4 === 0);
  params.u32(`${name}At`, offset).u32(`${name}Batch`, strides[0]!).u32(`${name}Head`, strides[1]!);
  params.u32(`${name}Row`, strides[2]!);
  return {
    key: String(vec4Aligned),
    reads: [store.read(x)],
    bindings: { [name]: vec4Aligned ? "vec4<f32>" : "f32" },
    text: rowText(name, shape[3]!, vec4Aligned),
  };
}

/** WGSL of numbers 4d … 4d + 3 of a row of `n`; 0 beyond its end. */
function rowText(name: string, n: number, vec4Aligned: boolean): string {
  const start = `p.${name}At + b * p.${name}Batch + h * p.${name}Head + i * p.${name}Row + d * 4u`;
  if (vec4Aligned)
    return `fn ${name}4(b: u32, h: u32, i: u32, d: u32) -> vec4<f32> { return ${name}[(${start}) / 4u]; }`;
  const numbers = [0, 1, 2, 3].map((j) =>
    n % 4 === 0
      ? `${name}[at + ${j}u]`
      : `select(0.0, ${name}[at + min(${j}u, ${n - 1}u - d * 4u)], d * 4u + ${j}u < ${n}u)`,
  );
  return `fn ${name}4(b: u32, h: u32, i: u32, d: u32) -> vec4<f32> {
  let at = ${start};
  return vec4<f32>(${numbers.join(", ")});
}`;
}
