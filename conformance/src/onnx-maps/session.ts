import { addAttentionMaps, type AttentionMapOptions, type OnnxWithMaps } from "@qkv/lens/onnx";
import type { FileSource } from "@qkv/core/byte-source";
import * as ort from "onnxruntime-web";

ort.env.wasm.numThreads = 1;

/** Data of an input or output. */
export type Value = { data: ort.Tensor["data"]; dims: readonly number[]; type: ort.Tensor.Type };
export type Values = Record<string, Value>;

/** Sessions of a graph with its maps, and without. */
export type Mapped = OnnxWithMaps & { before: Uint8Array; after: Uint8Array };

export async function mapped(bytes: Uint8Array, options?: AttentionMapOptions): Promise<Mapped> {
  const model = await addAttentionMaps(bytes as FileSource, options);
  return { ...model, before: bytes, after: await model.bytes() };
}

/** Runs a graph without optimizations. */
export async function runGraph(bytes: Uint8Array, feeds: Values): Promise<Values> {
  const session = await ort.InferenceSession.create(bytes, {
    ...{ graphOptimizationLevel: "disabled", logSeverityLevel: 4, executionProviders: ["wasm"] },
  });
  try {
    const tensors = Object.entries(feeds).map(([name, { type, data, dims }]) => [
      name,
      new ort.Tensor(type as "float32", data as Float32Array, dims),
    ]);
    const run = await session.run(Object.fromEntries(tensors) as Record<string, ort.Tensor>);
    return Object.fromEntries(
      Object.entries(run).map(([name, { data, dims, type }]) => [name, { data, dims: [...dims], type }]),
    );
  } finally {
    await session.release();
  }
}

export const floats = (data: ArrayLike<number>, dims: readonly number[]): Value => ({
  ...{ data: Float32Array.from(data), dims, type: "float32" },
});
export const int64 = (data: readonly number[], dims: readonly number[]): Value => ({
  ...{ data: BigInt64Array.from(data, BigInt), dims, type: "int64" },
});
export const int32 = (data: readonly number[], dims: readonly number[]): Value => ({
  ...{ data: Int32Array.from(data), dims, type: "int32" },
});

/** The elements as numbers, decoded from 16-bit floats if necessary. */
export function numbers({ data, type }: Value): ArrayLike<number> {
  if (type !== "float16") return data as Float32Array;
  return data instanceof Uint16Array ? Float32Array.from(data, float16) : (data as Float32Array);
}

function float16(bits: number): number {
  const [sign, exponent, fraction] = [bits >> 15 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (exponent === 0 ? 2 ** -24 * fraction : 2 ** (exponent - 25) * (1024 + fraction));
}

/** A graph builder of `benchmarks/peers/onnx.mjs`. */
export type Graph = {
  input(name: string, shape: readonly (number | string)[], type?: string): string;
  output(name: string, shape: readonly (number | string)[], type?: string): string;
  constant(data: ArrayLike<number>, shape: number[], type?: string): string;
  scalar(value: number): string;
  list(...values: number[]): string;
  op(
    type: string,
    inputs: readonly string[],
    attributes?: object,
    options?: { domain?: string; to?: readonly [string] },
  ): string;
  op(
    type: string,
    inputs: readonly string[],
    attributes: object,
    options: { domain?: string; to: readonly string[] },
  ): string[];
  bytes(): Uint8Array;
};

/** An empty graph. */
export const { graph: newGraph } = (await import(
  new URL("../../../benchmarks/peers/onnx.mjs", import.meta.url).href
)) as { graph(options: { opset: number }): Graph };
