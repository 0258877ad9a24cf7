import { isTensor, type Tensor } from "@qkv/tensor";
import { dequantizeWeight, isQuantized } from "@qkv/tensor/quantized";

/** Params with each quantized weight dequantized. `like`: the params before quantization, which have the shapes. */
export function dequantizedParams<Params>(quantized: Params, like: Params): Params {
  const visit = (value: unknown, like: unknown): unknown => {
    if (isQuantized(value)) return dequantizeWeight(value, (like as Tensor).shape[1]!);
    if (isTensor(value) || typeof value !== "object" || value === null) return value;
    if (Array.isArray(value)) return value.map((each, i) => visit(each, (like as unknown[])[i]));
    const known = like as Record<string, unknown>;
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, visit(each, known[key])]));
  };
  return visit(quantized, like) as Params;
}
