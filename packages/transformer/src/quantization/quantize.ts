import { checks, isPacked } from "@qkv/core";
import { bytesPerElement, cast, isTensor, js, slice, tensorsOf, type Device, type Tensor } from "@qkv/tensor";
import { dequantizeWeight, isQuantized, quantizeWeight, type QuantizedWeight } from "@qkv/tensor/quantized";
import type { MatrixRounding } from "../loading/weights.js";
import { checkModel } from "../models/check-model.js";
import { decoder, type DecoderKernels } from "../models/decoder.js";
import { encoder } from "../models/encoder.js";
import { encoderDecoder } from "../models/encoder-decoder.js";
import { isEncoder, isEncoderDecoder, isTextModel } from "../models/model-kinds.js";
import type { EncoderDecoderModel, EncoderModel, Model, TextModel } from "../models/model.js";
import type { QuantizationReport } from "../models/quantization-report.js";
import { anyLinear } from "./any-linear.js";

/** Weight quantization: int8 with a scale for each output, or int4 with one for each 32 inputs. */
export type Quantization = "int8" | "int4";

/**
 * Quantizes the matrices of a model to 8 or 4 bits: a quarter or an eighth of the bytes, on which the time per
 * token depends. Norms, biases, task heads and the embedding matrix are not quantized; if the embedding matrix is also the output
 * projection of a model that generates, the output uses a quantized copy.
 *
 * @param model - From `load`, or created from a configuration and params. Its params are not changed.
 * @param options - `kind`: `"int8"` (default) or `"int4"`. `activations`: as for `anyLinear`. `device`: where the model
 *   goes, default where it is.
 * @returns `model`, which computes like any other of its kind, and `report`: the relative error of each matrix.
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
  checkModel(check, model);
  if (!isTextModel(model))
    check.refuse({
      argument: "model",
      received: "a model of images or of speech",
      expected: "a model of texts",
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

/** Creates the quantization of a kind for a device. */
export function deviceRounding(kind: Quantization, device: Device): Rounding {
  const known = new WeakMap<object, { error: number; bytes: number }>();
  return {
    round(weight) {
      const { quantized, error } = quantizeMatrix(weight, kind, device);
      known.set(quantized, { error, bytes: treeBytes(weight) });
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
    of: (weight) => (typeof weight === "object" && weight !== null ? known.get(weight) : undefined),
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
  const before = new Map<unknown, number>();
  const rounded = (weight: Tensor, path: string): Tensor => {
    const whole = rounding.of(weight) ? weight : rounding.round(weight);
    const { error, bytes } = rounding.of(whole)!;
    errors[path] = error;
    before.set(rounding.of(weight) ? whole : weight.storage, bytes);
    return whole;
  };
  const moved = (x: Tensor): Tensor => {
    before.set(x.storage, treeBytes(x));
    return x.to(device);
  };
  const visit = (value: unknown, path: string): unknown => {
    if (rounding.of(value)) return rounded(value as Tensor, path);
    if (isQuantized(value)) refuseQuantized(path);
    if (isTensor(value)) {
      const isMatrix = matrices.test(path) && value.shape.length === 2;
      return isMatrix ? rounded(value, path) : moved(value);
    }
    if (Array.isArray(value)) return value.map((each, i) => visit(each, `${path}.${i}`));
    return Object.fromEntries(
      Object.entries(value as object).map(([key, each]) => [key, visit(each, path ? `${path}.${key}` : key)]),
    );
  };
  const { output, ...others }: Partial<GeneratorParams> = params;
  const after = {
    ...(visit(others, "") as object),
    ...(generates && {
      output: {
        weight: rounded(output?.weight ?? others.embedding!.weight, "output.weight"),
        ...(output?.bias && { bias: moved(output.bias) }),
      },
    }),
  } as Params;
  return {
    params: after,
    report: { errors, bytesBefore: sum(before.values()), bytesAfter: treeBytes(after) },
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
  // The numbers of a remote device are fetched once.
  const own = weight.device.remote ? weight.to(js()) : weight;
  const { data, scale } = quantizeWeight(own, { bits: bitsPerKind[kind] });
  const error = distance(own, { data, scale });
  return {
    quantized: { data: resident(data, device), scale: resident(scale, device) },
    error,
  };
}

/** A tensor on the device, kept beyond scopes. */
function resident(x: Tensor, device: Device): Tensor {
  if (x.device !== device) return x.to(device);
  device.retain(x.storage);
  return x;
}

const bitsPerKind = { int8: 8, int4: 4 } as const;

/** Rows compared at once: whole panels, and few enough that no matrix is held as floats. */
const rowsAtOnce = 64;

/** The norm of the rounding error, divided by that of the weight. */
function distance(weight: Tensor, { data, scale }: QuantizedWeight): number {
  const [outputs, inputs] = weight.shape as [number, number];
  let [moved, whole] = [0, 0];
  for (let first = 0; first < outputs; first += rowsAtOnce) {
    const end = Math.min(outputs, first + rowsAtOnce);
    const rows = slice(weight, 0, first, end);
    const panels = slice(data, 0, first / data.shape[2]!, Math.ceil(end / data.shape[2]!));
    const x = (isPacked(rows.dtype) ? cast(rows, "float32") : rows).data;
    const y = dequantizeWeight({ data: panels, scale: slice(scale, 0, first, end) }, inputs).data;
    for (let i = 0; i < x.length; i++) {
      moved += (x[i]! - y[i]!) ** 2;
      whole += x[i]! ** 2;
    }
  }
  return whole === 0 ? 0 : Math.sqrt(moved / whole);
}

/** Bytes of the tensors of a tree. Shared memory counts once. */
function treeBytes(tree: unknown): number {
  const held = tensorsOf(tree).map(
    ({ storage, dtype }) => [storage, storage.length * bytesPerElement(dtype)] as const,
  );
  return sum(new Map(held).values());
}

function sum(numbers: Iterable<number>): number {
  let total = 0;
  for (const number of numbers) total += number;
  return total;
}

const check = /* @__PURE__ */ checks("quantize");
