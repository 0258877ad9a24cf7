import { add, concat, isTensor, mul, slice, sub, take, tensor, type Tensor } from "@qkv/tensor";
import { isQuantized } from "@qkv/tensor/quantized";
import { checks } from "@qkv/core";
import { architectures } from "../architectures/architectures.js";
import { writeStored } from "../architectures/stored-tensor.js";
import type { TensorToWrite } from "../architectures/tensor-to-write.js";
import { huggingFaceDecoders } from "../exporting/hugging-face-decoders.js";
import { huggingFaceFiles } from "../exporting/hugging-face-folder.js";
import type { DecoderConfig } from "../models/decoder-config.js";
import type { DecoderParams } from "../models/decoder.js";
import { leafAt } from "./leaves.js";

/** A param in a stored tensor. */
export type StoredPart = {
  readonly path: string;
  /** Indices of its stored rows, in the order of the param. */
  readonly rows: Int32Array;
  /** Multiplier of the stored numbers, which loading folded into the param. */
  readonly factor: number;
  /** The same of the bias beside a matrix. */
  readonly biasFactor: number;
};

/** A matrix, a bias or the weights of a norm as stored in a checkpoint of Hugging Face. */
export type StoredMatrix = {
  /** The params that it becomes. */
  readonly parts: readonly StoredPart[];
  /** Total number of rows: the output dimension. */
  readonly count: number;
  /** Stored as `[in, out]`, as GPT-2's. */
  readonly transposed: boolean;
  /** Weights of a norm, which LoRA factors do not adapt. */
  readonly isNorm: boolean;
  /** Is added to stored values before their factor multiplies them: 1 for weights of a norm that multiplies by `1 + weight`, else 0. */
  readonly offset: 0 | 1;
};

/**
 * The matrices, biases and norms of a model by their names in a checkpoint. Each row of the params is replaced by its index, and the exported
 * tensors show where each row is stored: fused, permuted or transposed. The indices count from 1, so that 0 shows a row without a param, and
 * are doubled, so that an odd value shows an offset of 1.
 */
export function storedMatrices(model: {
  config: DecoderConfig;
  params: DecoderParams;
}): Map<string, StoredMatrix> {
  const rowTensors: { path: string; first: number; rows: number }[] = [];
  /** Index in `rowTensors` of the param of each row. */
  const owners: number[] = [];
  const withRowIndices = (value: unknown, path: string): unknown => {
    const rows = rowCount(value, path);
    if (rows !== undefined) {
      const first = owners.length;
      for (let i = 0; i < rows; i++) owners.push(rowTensors.length);
      rowTensors.push({ path, first, rows });
      return tensor(
        Float64Array.from({ length: rows }, (_, i) => 2 * (first + i + 1)),
        { shape: [rows, 1] },
      );
    }
    if (typeof value !== "object" || value === null || isTensor(value)) return value;
    if (Array.isArray(value)) return value.map((item, i) => withRowIndices(item, `${path}.${i}`));
    return Object.fromEntries(
      Object.entries(value).map(([key, child]) => [
        key,
        withRowIndices(child, path === "" ? key : `${path}.${key}`),
      ]),
    );
  };
  const params = withRowIndices(model.params, "") as DecoderParams;
  const matrices = new Map<string, StoredMatrix>();
  const factors = model.config.checkpoint?.factors ?? {};
  if (factors === "unknown") refuseUnknownFactors(model.config);
  for (const { name, shape, rows } of storedTensors(model.config, params)) {
    if (shape.length !== 2 || !shape.includes(1) || !/\.(weight|bias)$/.test(name)) continue;
    const transposed = shape[0] === 1 && shape[1]! > 1;
    const storedValues = rows(0, shape[0]!).data;
    if (storedValues.includes(0)) continue;
    const offset = storedValues[0]! % 2 === 0 ? 0 : 1;
    const storedRowsOf = new Map<number, Int32Array>();
    storedValues.forEach((stored, storedRow) => {
      const row = (stored + offset) / 2 - 1;
      const owner = owners[row]!;
      const { first, rows } = rowTensors[owner]!;
      if (!storedRowsOf.has(owner)) storedRowsOf.set(owner, new Int32Array(rows));
      storedRowsOf.get(owner)![row - first] = storedRow;
    });
    const parts = [...storedRowsOf].map(([owner, rows]) => {
      const { path } = rowTensors[owner]!;
      const factorAt = (path: string) => factors[path] ?? 1;
      return { path, rows, factor: factorAt(path), biasFactor: factorAt(path.replace(/weight$/, "bias")) };
    });
    const param = leafAt(model.params, parts[0]!.path);
    const isNorm = name.endsWith(".weight") && isTensor(param) && param.shape.length === 1;
    matrices.set(name, { parts, count: storedValues.length, transposed, isNorm, offset });
  }
  return matrices;
}

/** The tensors of a checkpoint like the one that was loaded; for other params, of the first architecture that has them. */
function storedTensors(config: DecoderConfig, params: DecoderParams): readonly TensorToWrite[] {
  const modelType = config.checkpoint?.modelType;
  const family = huggingFaceDecoders.find(({ name }) => name === modelType);
  if (family) return family.tensors(config, params);
  const table = architectures.find(({ modelTypes }) => modelTypes.some((type) => type === modelType));
  return table
    ? writeStored(table.tensors(config, params.output === undefined), params)
    : huggingFaceFiles({ config, params }).tensors;
}

function refuseUnknownFactors({ checkpoint }: DecoderConfig): never {
  return checks("lora").refuse({
    argument: "model",
    received: `a ${checkpoint!.modelType} whose file has multipliers folded into its weights`,
    expected: "weights and multipliers as in the folder of Hugging Face, which adapters are trained on",
    fix: "load the folder of the base in place of its GGUF file.",
  });
}

/** Number of rows of a matrix, a bias or a norm; undefined for other tensors. */
function rowCount(value: unknown, path: string): number | undefined {
  if (/(^|\.)weight$/.test(path)) {
    if (isQuantized(value)) return value.scale.shape[0]!;
    return isTensor(value) && value.shape.length <= 2 ? value.shape[0] : undefined;
  }
  return /(^|\.)bias$/.test(path) && isTensor(value) && value.shape.length === 1 ? value.shape[0] : undefined;
}

/** The param of a stored tensor: its rows, in the order of the param, with the offset and the factor. */
export function paramFromStored({ offset }: StoredMatrix, { rows, factor }: StoredPart, x: Tensor): Tensor {
  const part = takeRows(x, rows);
  const plus = offset === 0 ? part : add(part, offset);
  return times(plus, factor);
}

/** A tensor times a factor; the tensor itself for 1. */
export const times = (x: Tensor, factor: number): Tensor => (factor === 1 ? x : mul(x, factor));

/** The stored tensor of params, the inverse of {@link paramFromStored}. */
export function storedFromParams(matrix: StoredMatrix, params: readonly Tensor[]): Tensor {
  const unscaled = params.map((x, i) => times(x, 1 / matrix.parts[i]!.factor));
  // A subtraction even of 0, so that the copy has its own memory.
  return sub(storedRows(matrix, unscaled), matrix.offset);
}

/** The rows of a stored tensor that belong to a param, in the order of the param. */
export function takeRows(x: Tensor, rows: Int32Array): Tensor {
  const [first] = rows as unknown as [number];
  if (!rows.every((row, i) => row === first + i)) return take(x, 0, tensor(rows, { device: x.device }));
  return rows.length === x.shape[0] ? x : slice(x, 0, first, first + rows.length);
}

/** The stored tensor from its parts, with rows in the order of the checkpoint. */
export function storedRows({ parts, count }: StoredMatrix, tensors: readonly Tensor[]): Tensor {
  const order = new Int32Array(count);
  let at = 0;
  for (const { rows } of parts) for (const row of rows) order[row] = at++;
  const inPartOrder = tensors.length === 1 ? tensors[0]! : concat([...tensors], 0);
  const isInOrder = order.every((from, row) => from === row);
  return isInOrder ? inPartOrder : take(inPartOrder, 0, tensor(order, { device: inPartOrder.device }));
}
