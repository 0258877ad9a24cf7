import { add, matmul, mul, randn, resident, transpose, zeros, type Device, type Tensor } from "@qkv/tensor";
import { kaimingUniform } from "@qkv/tensor/initializers";
import type { QuantizedWeight } from "@qkv/tensor/quantized";
import { asFloats } from "../conversions/as-floats.js";
import type { DecoderParams } from "../models/decoder.js";
import { leafAt } from "./leaves.js";
import type { FullConfig } from "./lora-config.js";
import { floatMatrix, mergedWeight, rowLengths, type LowRankWeight } from "./low-rank-weight.js";
import { takeRows, storedRows, type StoredMatrix } from "./stored-matrices.js";

/** Params of an adapter for one module, with rows in the order of the checkpoint. */
export type LoraParams = {
  /** A, `[r, in]`, or `[r, V]` for an embedding matrix. */
  a: Tensor;
  /** B, `[out, r]` */
  b: Tensor;
  /** `[out]`, with `lora_bias`. */
  offset?: Tensor;
  /** `[out]`, with `use_dora`. */
  magnitude?: Tensor;
};

/** A module of the base model that an adapter changes. */
export type AdaptedModule = {
  readonly name: string;
  /** Initial factors. Their product is 0 unless the configuration initializes both at random. */
  init(first: number, second: number): LoraParams;
  /** The params of the module, by path, with the adapter beside them. */
  leaves(params: LoraParams, dropoutSeed?: number): [path: string, value: unknown][];
  /** The same with the adapter merged, as float matrices. */
  merged(params: LoraParams): [path: string, value: Tensor][];
  /** Names of the factors in a file, relative to the module. */
  readonly names: Readonly<Record<keyof LoraParams, string>>;
};

/** Names in a file for the adapter of a matrix. */
export const matrixNames = {
  a: "lora_A.weight",
  b: "lora_B.weight",
  offset: "lora_B.bias",
  magnitude: "lora_magnitude_vector",
} as const;

/** Names in a file for the adapter of an embedding matrix. */
export const tableNames = { ...matrixNames, a: "lora_embedding_A", b: "lora_embedding_B" } as const;

type Made = {
  readonly base: DecoderParams;
  readonly device: Device;
  readonly name: string;
  readonly matrix: StoredMatrix;
  /** Input dimension of the matrix: its columns. */
  readonly inputs: number;
  readonly config: FullConfig;
};

/** Computes a tensor that outlives the current scope. */
export const kept = (device: Device, make: () => Tensor): Tensor => device.scope(() => resident(make()));

/** A linear module. */
export function adaptedMatrix({ base, device, name, matrix, inputs, config }: Made): AdaptedModule {
  const [rank, scale] = [config.maps.rank(name), config.maps.scale(name)];
  const baseAt = (path: string) => leafAt(base, path) as Tensor | QuantizedWeight;
  const evenly = (shape: [number, number], seed: number) =>
    kaimingUniform(shape, { seed, gain: 1 / Math.sqrt(3) });
  const lowRank = ({ a, b, offset, magnitude }: LoraParams, seed?: number) =>
    matrix.parts.map(({ path, rows }): [string, LowRankWeight] => [
      path,
      {
        ...{ base: baseAt(path), a, b: takeRows(b, rows), scale },
        ...(offset && { offset: takeRows(offset, rows) }),
        ...(magnitude && { magnitude: takeRows(magnitude, rows) }),
        ...(seed !== undefined && config.dropout > 0 && { dropout: { rate: config.dropout, seed } }),
      },
    ]);
  const lengths = () =>
    storedRows(
      matrix,
      matrix.parts.map(({ path }) => rowLengths(floatMatrix(baseAt(path), inputs))),
    );
  return {
    name,
    names: matrixNames,
    init(first, second) {
      const a =
        config.init === "gaussian"
          ? mul(randn([rank, inputs], { seed: first }), 1 / rank)
          : evenly([rank, inputs], first);
      const b = config.init === false ? evenly([matrix.count, rank], second) : zeros([matrix.count, rank]);
      return {
        ...{ a: a.to(device), b: b.to(device) },
        ...(config.hasOffset && { offset: zeros([matrix.count]).to(device) }),
        ...(config.maps.hasMagnitudes && { magnitude: kept(device, lengths) }),
      };
    },
    leaves: lowRank,
    merged: (params) =>
      lowRank(params).flatMap(([path, weight]): [string, Tensor][] => {
        const whole = kept(device, () => mergedWeight(weight));
        const { offset } = weight;
        if (!offset) return [[path, whole]];
        const biasPath = path.replace(/weight$/, "bias");
        const bias = leafAt(base, biasPath) as Tensor | undefined;
        const added = () => mul(offset, scale);
        return [
          [path, whole],
          [biasPath, kept(device, () => (bias ? add(bias, added()) : added()))],
        ];
      }),
  };
}

/** An embedding module. The change of a token's row is B times that token's column of A. */
export function adaptedTable({ base, device, name, matrix, inputs, config }: Made): AdaptedModule {
  const [rank, scale] = [config.maps.rank(name), config.maps.scale(name)];
  const { path } = matrix.parts[0]!;
  const table = ({ a, b }: LoraParams) =>
    add(asFloats(leafAt(base, path) as Tensor), mul(transpose(matmul(b, a)), scale));
  return {
    name,
    names: tableNames,
    init: (first, second) => {
      const a =
        config.init === false ? randn([rank, matrix.count], { seed: first }) : zeros([rank, matrix.count]);
      return { a: a.to(device), b: randn([inputs, rank], { seed: second }).to(device) };
    },
    leaves: (params) => [[path, table(params)]],
    merged: (params) => [[path, kept(device, () => table(params))]],
  };
}
