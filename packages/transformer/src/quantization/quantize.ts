import { checks, isPacked } from "@qkv/core";
import { bytesPerElement, cast, isTensor, js, slice, tensorsOf, type Device, type Tensor } from "@qkv/tensor";
import { dequantizeWeight, isQuantized, quantizeWeight, type QuantizedWeight } from "@qkv/tensor/quantized";
import type { MatrixRounding } from "../loading/weights.js";
import { checkModel } from "../models/check-model.js";
import { decoder, type DecoderKernels } from "../models/decoder.js";
import { encoder } from "../models/encoder.js";
import { encoderDecoder } from "../models/encoder-decoder.js";
import { isEncoder, isEncoderDecoder } from "../models/model-kinds.js";
import type { EncoderDecoderModel, EncoderModel, Model, TextModel } from "../models/model.js";
import type { QuantizationReport } from "../models/quantization-report.js";
import { anyLinear } from "./any-linear.js";

/** Weight quantization: int8 with one scale per output, or int4 with one per 32 inputs. */
export type Quantization = "int8" | "int4";

/**
 * Quantizes the matrices of a model to 8 or 4 bits: a quarter or an eighth of the bytes of float32, and less time per
 * token. Norms, biases, task heads and the embedding matrix are not quantized; if the embedding matrix is also the output
 * projection of a model that generates, the output uses a quantized copy.
 *
 * @param model - From `load`, or created from a configuration and params. Its params are not changed.
 * @param options - `kind`: `"int8"` (default) or `"int4"`. `activations`: as for `anyLinear`. `device`: the device of the
 *   quantized model, default that of `model`.
 * @returns `model`, with the same functions, and `report`: the relative error of each matrix.
 * @throws {ArgumentError} If there is no such kind.
 *
 * @example
 * ```ts
 * import { decoder, quantize } from "@qkv/transformer";
 *
 * const { config, init, apply } = decoder({
 *   vocabSize: 11, embedDim: 32, hiddenDim: 64, numLayers: 1, numHeads: 2, numKvHeads: 1,
 *   contextLength: 32, normEps: 1e-5, stopIds: [],
 * });
 * const { model, report } = quantize({ config, params: init(1), tokenizer: undefined, apply });
 * model.apply(model.params, [3, 1, 4]).shape; // => [1, 3, 11]
 * Math.max(...Object.values(report.errors)) < 0.01; // => true
 * ```
 */
export function quantize<Kind extends Model | EncoderModel | EncoderDecoderModel>(
  model: Kind,
  given?: {
    kind?: Quantization;
    activations?: "float32" | "int8";
    device?: Device;
  },
): { model: Kind; report: QuantizationReport } {
  checkModel(check, model, ["decoder", "encoder", "encoder-decoder"], {
    fix: 'load it with `quantize: "int8"`.',
  });
  const options = check.options(given, ["kind", "activations", "device"]);
  const { kind = "int8", activations = "float32", device = model.params.embedding.weight.device } = options;
  check.oneOf({ activations }, ["float32", "int8"]);
  return quantizeBy(deviceRounding(kind, device), model, { activations, device });
}

/** Quantizes matrices one at a time, and records their errors and sizes. */
export type Rounding = MatrixRounding & {
  /** Relative error of a quantized matrix, and its bytes before quantization. */
  of(weight: unknown): { error: number; bytes: number } | undefined;
};

/** Creates the rounding for a kind of quantization and a device. */
export function deviceRounding(kind: Quantization, device: Device): Rounding {
  const measurements = new WeakMap<object, { error: number; bytes: number }>();
  return {
    round(weight) {
      const { quantized, error } = quantizeMatrix(weight, kind, device);
      measurements.set(quantized, { error, bytes: treeBytes(weight) });
      return quantized as never; // `anyLinear` distinguishes the types
    },
    bytes([outputs, inputs]) {
      // Panels of 8 outputs, and scales per output (int8) or per group of 32 inputs (int4).
      const rows = 8 * Math.ceil(outputs! / 8);
      const groups = Math.ceil(inputs! / 32);
      return kind === "int8"
        ? rows * 4 * Math.ceil(inputs! / 4) + 4 * outputs!
        : rows * 16 * groups + 4 * outputs! * groups;
    },
    of: (weight) => (typeof weight === "object" && weight !== null ? measurements.get(weight) : undefined),
  };
}

/** Quantizes a model. Matrices that were already quantized on loading are not changed. */
export function quantizeBy<Kind extends TextModel>(
  rounding: Rounding,
  model: Kind,
  { activations = "float32", device }: { activations?: "float32" | "int8"; device: Device },
): { model: Kind; report: QuantizationReport } {
  // An encoder computes logits of masked tokens with the embedding matrix.
  const { params, report } = roundParams(rounding, model.params, { device, generates: !isEncoder(model) });
  const kernels = { linear: anyLinear({ activations }) };
  return { model: { ...model, params, ...modelFunctions(model, kernels) }, report };
}

function refuseQuantized(path: string): never {
  return checks("quantize").refuse({
    argument: "model",
    received: `a model whose ${path} is quantized`,
    expected: "one of floats",
    fix: "load it again, with the option `quantize` for this kind.",
  });
}

/** Params with an embedding matrix and optionally an output projection. */
type GeneratorParams = { embedding: { weight: Tensor }; output?: { weight?: Tensor; bias?: Tensor } };

/**
 * Params with quantized matrices on a device. Matrices that were already quantized on loading are not changed.
 *
 * @param options - `generates`: the model computes logits with a quantized output projection, which with tied weights is a copy of the embedding matrix.
 */
export function roundParams<Params extends object>(
  rounding: Rounding,
  params: Params,
  { device, generates }: { device: Device; generates: boolean },
): { params: Params; report: QuantizationReport } {
  const errors: Record<string, number> = {};
  const bytesBefore = new Map<unknown, number>();
  const roundMatrix = (weight: Tensor, path: string): Tensor => {
    const quantized = rounding.of(weight) ? weight : rounding.round(weight);
    const { error, bytes } = rounding.of(quantized)!;
    errors[path] = error;
    bytesBefore.set(rounding.of(weight) ? quantized : weight.storage, bytes);
    return quantized;
  };
  const toDevice = (x: Tensor): Tensor => {
    bytesBefore.set(x.storage, treeBytes(x));
    return x.to(device);
  };
  const visit = (value: unknown, path: string): unknown => {
    if (rounding.of(value)) return roundMatrix(value as Tensor, path);
    if (isQuantized(value)) refuseQuantized(path);
    if (isTensor(value)) {
      const isMatrix = matrices.test(path) && value.shape.length === 2;
      return isMatrix ? roundMatrix(value, path) : toDevice(value);
    }
    if (Array.isArray(value)) return value.map((child, i) => visit(child, `${path}.${i}`));
    return Object.fromEntries(
      Object.entries(value as object).map(([key, child]) => [
        key,
        visit(child, path ? `${path}.${key}` : key),
      ]),
    );
  };
  const { output, ...others }: Partial<GeneratorParams> = params;
  const roundedParams = {
    ...(visit(others, "") as object),
    ...(generates && {
      output: {
        weight: roundMatrix(output?.weight ?? others.embedding!.weight, "output.weight"),
        ...(output?.bias && { bias: toDevice(output.bias) }),
      },
    }),
  } as Params;
  return {
    params: roundedParams,
    report: { errors, bytesBefore: sum(bytesBefore.values()), bytesAfter: treeBytes(roundedParams) },
  };
}

/** The functions of a model, for quantized matrices. */
function modelFunctions(model: TextModel, kernels: Required<Pick<DecoderKernels, "linear">>): object {
  if (isEncoder(model)) {
    const { apply, maskedTokenLogits } = encoder(model.config, kernels);
    return { apply, maskedTokenLogits };
  }
  if (!isEncoderDecoder(model)) return { apply: decoder(model.config, kernels).apply };
  const { apply, encode } = encoderDecoder(model.config, kernels);
  return { apply, encode };
}

/** Paths of the matrices in layers, and of the other projections of an encoder. */
const matrices =
  /^(encoder\.|decoder\.)?layers\..*\.weight$|^bytePatches\.(.*\.)?(layers|projection|crossAttention|output)\.(.*\.)?weight$|^(embeddingProjection|maskedTokenHead\.dense)\.weight$/;

/** A quantized matrix on the device, and its relative error. */
function quantizeMatrix(
  weight: Tensor,
  kind: Quantization,
  device: Device,
): { quantized: QuantizedWeight; error: number } {
  check.oneOf(
    { kind },
    ["int8", "int4"],
    'take "int8", which few models notice; "int4" where memory is short.',
  );
  // Elements on a remote device are fetched once.
  const source = weight.device.remote ? weight.to(js()) : weight;
  const { data, scale } = quantizeWeight(source, { bits: bitsPerKind[kind] });
  const error = relativeError(source, { data, scale });
  return {
    quantized: { data: resident(data, device), scale: resident(scale, device) },
    error,
  };
}

/** Moves a tensor to the device, and keeps it when a scope ends. */
function resident(x: Tensor, device: Device): Tensor {
  if (x.device !== device) return x.to(device);
  device.retain(x.storage);
  return x;
}

const bitsPerKind = { int8: 8, int4: 4 } as const;

/** Rows per comparison: a multiple of the panel size, and few, so that no matrix is completely in memory as float32. */
const rowsPerComparison = 64;

/** Relative error: the norm of the rounding error, divided by that of the weight. */
function relativeError(weight: Tensor, { data, scale }: QuantizedWeight): number {
  const [outputs, inputs] = weight.shape as [number, number];
  let [squaredError, squaredNorm] = [0, 0];
  for (let first = 0; first < outputs; first += rowsPerComparison) {
    const end = Math.min(outputs, first + rowsPerComparison);
    const rows = slice(weight, 0, first, end);
    const panels = slice(data, 0, first / data.shape[2]!, Math.ceil(end / data.shape[2]!));
    const x = (isPacked(rows.dtype) ? cast(rows, "float32") : rows).data;
    const y = dequantizeWeight({ data: panels, scale: slice(scale, 0, first, end) }, inputs).data;
    for (let i = 0; i < x.length; i++) {
      squaredError += (x[i]! - y[i]!) ** 2;
      squaredNorm += x[i]! ** 2;
    }
  }
  return squaredNorm === 0 ? 0 : Math.sqrt(squaredError / squaredNorm);
}

/** Bytes of the tensors of a tree. Shared memory counts once. */
function treeBytes(tree: unknown): number {
  const bytesByStorage = tensorsOf(tree).map(
    ({ storage, dtype }) => [storage, storage.length * bytesPerElement(dtype)] as const,
  );
  return sum(new Map(bytesByStorage).values());
}

function sum(numbers: Iterable<number>): number {
  let total = 0;
  for (const number of numbers) total += number;
  return total;
}

const check = /* @__PURE__ */ checks("quantize");
