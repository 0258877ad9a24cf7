import { add, matmul, mul, randn, resident, transpose, zeros, type Device, type Tensor } from "@qkv/tensor";
import { kaimingUniform } from "@qkv/tensor/initializers";
import type { QuantizedWeight } from "@qkv/tensor/quantized";
import { asFloats } from "../conversions/as-floats.js";
import type { DecoderParams } from "../models/decoder.js";
import { leafAt } from "./leaves.js";
import type { FullConfig } from "./lora-config.js";
import { floatMatrix, mergedWeight, rowNorms, type LowRankWeight } from "./low-rank-weight.js";
import { storedRows, takeRows, times, type StoredMatrix } from "./stored-matrices.js";

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
  /** Initial factors A and B, each from its seed. Their product is 0 unless the configuration initializes both at random. */
  init(seedA: number, seedB: number): LoraParams;
  /** The params of the module, by path, with an unmerged adapter. */
  leaves(params: LoraParams, dropoutSeed?: number): [path: string, value: unknown][];
  /**
   * The params of the module, by path, with the adapter merged into float matrices.
   *
   * @param biases - Params with the biases that are trained fully.
   */
  merged(params: LoraParams, biases: DecoderParams): [path: string, value: Tensor][];
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

type AdaptedModuleOptions = {
  readonly base: DecoderParams;
  readonly device: Device;
  readonly name: string;
  readonly matrix: StoredMatrix;
  /** Input dimension of the matrix: its columns. */
  readonly inputs: number;
  readonly config: FullConfig;
};

/** Computes a tensor in a scope of its own, and retains it beyond the scope. */
export const computeResident = (device: Device, compute: () => Tensor): Tensor =>
  device.scope(() => resident(compute()));

/** A linear module. */
export function adaptedMatrix({
  base,
  device,
  name,
  matrix,
  inputs,
  config,
}: AdaptedModuleOptions): AdaptedModule {
  const [rank, scale] = [config.maps.rank(name), config.maps.scale(name)];
  const baseAt = (path: string) => leafAt(base, path) as Tensor | QuantizedWeight;
  // U(-1/√in, 1/√in), which PEFT draws as `kaiming_uniform_(a=√5)`.
  const uniform = (shape: [number, number], seed: number) =>
    kaimingUniform(shape, { seed, gain: 1 / Math.sqrt(3) });
  const lowRank = ({ a, b, offset, magnitude }: LoraParams, seed?: number) =>
    matrix.parts.map(({ path, rows, factor, biasFactor }): [string, LowRankWeight] => [
      path,
      {
        ...{ base: baseAt(path), a, b: takeRows(b, rows), scale: scale * factor },
        ...(offset && { offset: times(takeRows(offset, rows), biasFactor / factor) }),
        ...(magnitude && { magnitude: times(takeRows(magnitude, rows), factor) }),
        ...(seed !== undefined && config.dropout > 0 && { dropout: { rate: config.dropout, seed } }),
      },
    ]);
  const initialMagnitudes = () =>
    storedRows(
      matrix,
      matrix.parts.map(({ path, factor }) => times(rowNorms(floatMatrix(baseAt(path), inputs)), 1 / factor)),
    );
  return {
    name,
    names: matrixNames,
    init(seedA, seedB) {
      const a =
        config.init === "gaussian"
          ? mul(randn([rank, inputs], { seed: seedA }), 1 / rank)
          : uniform([rank, inputs], seedA);
      const b = config.init === false ? uniform([matrix.count, rank], seedB) : zeros([matrix.count, rank]);
      return {
        ...{ a: a.to(device), b: b.to(device) },
        ...(config.hasOffset && { offset: zeros([matrix.count]).to(device) }),
        ...(config.maps.hasMagnitudes && { magnitude: computeResident(device, initialMagnitudes) }),
      };
    },
    leaves: lowRank,
    merged: (params, biases) =>
      lowRank(params).flatMap(([path, weight]): [string, Tensor][] => {
        const merged = computeResident(device, () => mergedWeight(weight));
        const { offset, scale } = weight;
        if (!offset) return [[path, merged]];
        const biasPath = path.replace(/weight$/, "bias");
        const bias = leafAt(biases, biasPath) as Tensor | undefined;
        const change = () => mul(offset, scale);
        return [
          [path, merged],
          [biasPath, computeResident(device, () => (bias ? add(bias, change()) : change()))],
        ];
      }),
  };
}

/** An embedding module. The change of a token's row is B times that token's column of A. */
export function adaptedTable({
  base,
  device,
  name,
  matrix,
  inputs,
  config,
}: AdaptedModuleOptions): AdaptedModule {
  const [rank, scale] = [config.maps.rank(name), config.maps.scale(name)];
  const { path } = matrix.parts[0]!;
  const table = ({ a, b }: LoraParams) =>
    add(asFloats(leafAt(base, path) as Tensor), mul(transpose(matmul(b, a)), scale));
  return {
    name,
    names: tableNames,
    init: (seedA, seedB) => {
      const a =
        config.init === false ? randn([rank, matrix.count], { seed: seedA }) : zeros([rank, matrix.count]);
      return { a: a.to(device), b: randn([inputs, rank], { seed: seedB }).to(device) };
    },
    leaves: (params) => [[path, table(params)]],
    merged: (params) => [[path, computeResident(device, () => table(params))]],
  };
}
