import { checks, isPacked } from "@qkv/core";
import { bytesPerElement, cast, isTensor, js, slice, tensorsOf, type Device, type Tensor } from "@qkv/tensor";
import { dequantizeWeight, quantizeWeight, type QuantizedWeight } from "@qkv/tensor/quantized";
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
 * Quantizes the matrices of a model to 8 or 4 bits: a quarter or an eighth of the bytes, which is what the time per
 * token depends on. Norms, biases, heads for tasks and the embedding table stay as they are; if the table is also the output
 * matrix of a model that generates, the output uses a rounded copy.
 *
 * @param model - Of `load`, or made by hand; its params are not changed.
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

/** Quantizes matrices one at a time, and records the error and size of each. */
export type Rounding = MatrixRounding & {
  /** Relative error of a quantized matrix, and its bytes before. */
  of(weight: unknown): { error: number; bytes: number } | undefined;
};

/** Quantization to the bits of a kind, for a device. */
export function deviceRounding(kind: Quantization, device: Device): Rounding {
  const known = new WeakMap<object, { error: number; bytes: number }>();
  return {
    round(weight) {
      const { quantized, error } = quantizeMatrix(weight, kind, device);
      known.set(quantized, { error, bytes: treeBytes(weight) });
      return quantized as never; // `anyLinear` tells which it is
    },
    bytes([outputs, inputs]) {
      // Panels of 8 outputs, and scales of an output or of its groups of 32 inputs.
      const rows = 8 * Math.ceil(outputs! / 8);
      const groups = Math.ceil(inputs! / 32);
      return kind === "int8"
        ? rows * 4 * Math.ceil(inputs! / 4) + 4 * outputs!
        : rows * 16 * groups + 4 * outputs! * groups;
    },
    of: (weight) => (typeof weight === "object" && weight !== null ? known.get(weight) : undefined),
  };
}

/** The quantized model; matrices that were quantized while they were read stay as they are. */
export function quantizeBy<Kind extends TextModel>(
  rounding: Rounding,
  model: Kind,
  { activations = "float32", device }: { activations?: "float32" | "int8"; device: Device },
): { model: Kind; report: QuantizationReport } {
  // Logits of an encoder are those of masked tokens, by the table itself.
  const { params, report } = roundParams(rounding, model.params, { device, generates: !isEncoder(model) });
  const kernels = { linear: anyLinear({ activations }) };
  return { model: { ...model, params, ...modelFunctions(model, kernels) }, report };
}

/** Params of a model that multiplies its output matrix with rows, or the embedding table in its place. */
type GeneratorParams = { embedding: { weight: Tensor }; output?: { weight?: Tensor; bias?: Tensor } };

/**
 * Params with rounded matrices on a device; matrices that were quantized while they were read stay as they are.
 *
 * @param options - `generates`: logits are made by a rounded output matrix, that of the embedding where it is both.
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

/** The functions of a model, which take rounded matrices. */
function modelFunctions(model: TextModel, kernels: Required<Pick<DecoderKernels, "linear">>): object {
  if (isEncoder(model)) {
    const { apply, maskedTokenLogits } = encoder(model.config, kernels);
    return { apply, maskedTokenLogits };
  }
  if (!isEncoderDecoder(model)) return { apply: decoder(model.config, kernels).apply };
  const { apply, encode } = encoderDecoder(model.config, kernels);
  return { apply, encode };
}

/** Paths of matrices that a layer multiplies with, and the other maps of an encoder. */
const matrices =
  /^(encoder\.|decoder\.)?layers\..*\.weight$|^bytePatches\.(.*\.)?(layers|projection|crossAttention|output)\.(.*\.)?weight$|^(embeddingMap|maskedTokenHead\.dense)\.weight$/;

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
  // Numbers of a remote device are fetched once.
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

/** Rows compared at once: whole panels, and few, so that no matrix is held as floats. */
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

/** Bytes of the tensors of a tree; what two of them share counts once. */
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
