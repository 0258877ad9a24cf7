import { bytesPerElement, type DType } from "@qkv/tensor";

/** WGSL element type of a binding: the dtype itself if it has 4 bytes, else words with several packed elements. */
export function arrayType(dtype: DType): "f32" | "i32" | "u32" {
  return dtype === "float32" ? "f32" : dtype === "int32" ? "i32" : "u32";
}

/** WGSL type in which numbers of a dtype are computed. */
export function valueType(dtype: DType): "f32" | "i32" {
  return dtype === "float32" || dtype === "float16" || dtype === "bfloat16" ? "f32" : "i32";
}

/** WGSL that reads the number at `index` of a binding, as {@link valueType}. */
export function numberAt(name: string, dtype: DType, index: string): string {
  const byte = `((${name}[(${index}) / 4u] >> (8u * ((${index}) % 4u))) & 255u)`;
  switch (dtype) {
    case "float32":
    case "int32":
      return `${name}[${index}]`;
    case "int8":
      return `(i32(${byte} << 24u) >> 24u)`;
    case "float16":
      return `unpack2x16float(${name}[(${index}) / 2u])[(${index}) % 2u]`;
    case "bfloat16":
      return `bitcast<f32>(${bitsAt(name, 2, index)} << 16u)`;
    default:
      return `i32(${byte})`;
  }
}

/** WGSL that reads four consecutive floats from `index` on, of a binding of `vec4<f32>`, or of `vec2<u32>` for 16-bit floats. */
export function vec4At(name: string, dtype: DType, index: string): string {
  const four = `${name}[(${index}) / 4u]`;
  switch (dtype) {
    case "float16":
      return `vec4<f32>(unpack2x16float(${four}.x), unpack2x16float(${four}.y))`;
    case "bfloat16":
      return `bitcast<vec4<f32>>((${four}.xxyy << vec4<u32>(16u, 0u, 16u, 0u)) & vec4<u32>(0xffff0000u))`;
    default:
      return four;
  }
}

/** WGSL that reads the bits of the element at `index` of an array of words, as `u32`. */
export function bitsAt(name: string, bytes: number, index: string): string {
  if (bytes === 4) return `${name}[${index}]`;
  const [each, mask] = bytes === 2 ? [2, "65535u"] : [4, "255u"];
  return `((${name}[(${index}) / ${each}u] >> (${8 * bytes}u * ((${index}) % ${each}u))) & ${mask})`;
}

/** Elements per word of 4 bytes. */
export const elementsPerWord = (dtype: DType): number => 4 / bytesPerElement(dtype);
