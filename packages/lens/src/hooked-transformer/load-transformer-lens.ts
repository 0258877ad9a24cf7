import { checks, FormatError, nearestName, ShapeError, type Checks } from "@qkv/core";
import { openFile } from "@qkv/core/byte-source";
import { add, cast, linear, mapTensors, ones, reshape, type Tensor } from "@qkv/tensor";
import { readSafetensors, type ReadOptions, type SafetensorsSource } from "@qkv/tensor/safetensors";
import type { Tokenizer } from "@qkv/tokenizer";
import { decoder, type DecoderParams, type Model } from "@qkv/transformer";
import type { HookedTransformerConfig } from "./hooked-config.js";
import { withShortformerPositions } from "./shortformer-positions.js";
import { readConfig } from "./read-config.js";
import { normPaths, tensorTable, type TableEntry } from "./tensor-table.js";

export type LoadTransformerLensOptions = ReadOptions & {
  /** The configuration, `model.cfg.to_dict()` in Python. Default: the JSON in the file's metadata under the name `cfg`. */
  readonly cfg?: HookedTransformerConfig;
  /** Tokenizer of the model. Default: none; the model then reads and returns ids. */
  readonly tokenizer?: Tokenizer;
};

/**
 * Loads a `HookedTransformer` of TransformerLens: a safetensors file of its `state_dict()`, and its configuration. Weights are not
 * changed: folded and centered weights stay so.
 *
 * Supported are attention-only models, layer norms, RMS norms and none, learned, rotary and ALiBi positions, causal and bidirectional
 * attention, windows, grouped-query attention, gated MLPs and classifiers. Others, such as SoLU and experts, are refused by the name
 * of the field. Shortformer positions are supported without norms: the stream becomes twice as wide, and its second half holds the
 * position. In a gated MLP, TransformerLens adds `b_in` after the product, so it is folded into `b_out`.
 *
 * @param source - Bytes, a Blob or File, a URL, or in Node a path, of a safetensors file.
 * @param options - `cfg`: the configuration. `device`, `tokenizer`, and options of `readSafetensors`.
 * @throws {ArgumentError} If a field of the configuration is missing, unknown or not supported.
 * @throws {FormatError} If a tensor is missing, or does not belong to the configuration. {@link ShapeError} If a
 *   shape does not fit the configuration.
 * @see https://transformerlensorg.github.io/TransformerLens
 *
 * @example
 * ```ts
 * import { writeSafetensors } from "@qkv/tensor/safetensors";
 * import { decoder } from "@qkv/transformer";
 * import { loadTransformerLens, transformerLensCheckpoint } from "@qkv/lens/transformer-lens";
 *
 * const config = {
 *   vocabSize: 11, embedDim: 8, hiddenDim: 16, numLayers: 1, numHeads: 2, numKvHeads: 2, gated: false,
 *   contextLength: 32, normEps: 1e-5, stopIds: [], norm: "layer", positions: "learned", activation: "relu",
 * } as const;
 * const { init, apply } = decoder(config);
 * const { cfg, tensors } = transformerLensCheckpoint({ config, params: init(1), apply });
 * const file = await writeSafetensors(tensors, { cfg: JSON.stringify(cfg) });
 *
 * const model = await loadTransformerLens(file);
 * model.apply(model.params, [3, 1, 4]).shape; // => [1, 3, 11]
 * ```
 */
export async function loadTransformerLens(
  source: SafetensorsSource,
  options?: LoadTransformerLensOptions,
): Promise<Model> {
  const given = check.options(options, optionNames);
  const { cfg, tokenizer, device, ...reading } = given;
  const file = await openFile(source, { ...reading, check: sourceChecks, transfer: "whole" });
  const { tensors, metadata } = await readSafetensors(file);
  const hookedConfig = readConfig(check, configuration(cfg, metadata["cfg"]), {
    maxLayers: Object.keys(tensors).length,
  });
  const { numOutputs, normsHaveWeights, positionsOutsideStream } = hookedConfig;
  const { config: stored } = hookedConfig;
  const table = tensorTable(stored, { numOutputs, normsHaveWeights });
  const names = new Map(table.map((entry) => [entry.theirs, storedName(entry.theirs, tensors)]));
  refuseUnknownTensors(Object.keys(tensors), [...names.values()]);

  // One type for all tensors, as matrix products need equal types.
  const dtype = Object.values(tensors).some((x) => x.dtype === "float64") ? "float64" : "float32";
  let params = { layers: Array.from({ length: stored.numLayers }, () => ({})) } as unknown as DecoderParams;
  for (const entry of table) {
    const x = checkedTensor(entry, names.get(entry.theirs)!, tensors);
    setAt(params, entry.ours, entry.toOurs(cast(x, dtype)));
  }
  if (stored.gated) foldInnerBiases(params);
  const config = positionsOutsideStream ? { ...stored, embedDim: 2 * stored.embedDim } : stored;
  if (positionsOutsideStream) params = withShortformerPositions(params);
  if (!normsHaveWeights)
    for (const path of normPaths(config)) setAt(params, `${path}.weight`, ones([config.embedDim], { dtype }));
  const placed = device ? mapTensors(params, (x) => x.to(device)) : params;
  return { config, params: placed, tokenizer, apply: decoder(config).apply };
}

const check: Checks = /* @__PURE__ */ checks("loadTransformerLens");
const sourceChecks = /* @__PURE__ */ checks("loadTransformerLens", { argument: "source" });
const optionNames = [
  "cfg",
  "tokenizer",
  "device",
  "signal",
  "onProgress",
  "idleTimeoutMs",
  "maxBytes",
] as const;
const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The given configuration, or the one in the file's metadata. */
function configuration(
  given: HookedTransformerConfig | undefined,
  stored: string | undefined,
): Readonly<Record<string, unknown>> {
  const fix =
    "give `cfg`: the JSON of `model.cfg.to_dict()`, with `default=str` for what JSON does not have.";
  const expected = "the fields of a HookedTransformerConfig by name";
  if (given !== undefined) {
    check.each({ cfg: given }, isObject, expected, fix);
    return given;
  }
  if (stored === undefined)
    check.refuse({ argument: "cfg", received: "none in the file's metadata", expected, fix });
  try {
    const parsed: unknown = JSON.parse(stored);
    if (isObject(parsed)) return parsed;
  } catch (cause) {
    check.refuse({ argument: "cfg", received: "no valid JSON in the file's metadata", expected, fix, cause });
  }
  return check.refuse({ argument: "cfg", received: stored, expected, fix });
}

/** The name of a tensor in a file: `_W_K` for shared keys and values; some files use it for unshared ones too. */
function storedName(name: string, tensors: Readonly<Record<string, Tensor>>): string {
  if (name in tensors) return name;
  const marked = name.replace(/\.([Wb]_[KV])$/, "._$1");
  return marked in tensors ? marked : name;
}

/** Buffers in a state dict that are not weights: masks, and tables of rotary embeddings. */
const buffers = /\.attn\.(mask|IGNORE|rotary_sin|rotary_cos|alibi)$/;

/** Refuses tensors that do not belong to the configuration. */
function refuseUnknownTensors(stored: readonly string[], expected: readonly string[]): void {
  const expectedNames = new Set(expected);
  const unknownName = stored.find((name) => !expectedNames.has(name) && !buffers.test(name));
  if (unknownName === undefined) return;
  const nearest = nearestName(unknownName, [...expected]);
  check.refuse(
    {
      argument: "source",
      received: `a tensor ${unknownName}`,
      expected: "the tensors of its configuration alone",
      fix: `${nearest ? `\`${nearest}\` is expected; ` : ""}give the \`cfg\` that belongs to the file: a model whose norms were folded has other fields.`,
    },
    FormatError,
  );
}

/** A tensor of the file. Refuses one that is missing, not of floats, or of another shape than `shape`. */
function checkedTensor(
  { shape }: TableEntry,
  name: string,
  tensors: Readonly<Record<string, Tensor>>,
): Tensor {
  const x = tensors[name];
  if (!x) {
    const fix =
      "give the `cfg` that belongs to the file: a model whose norms were folded has `normalization_type` LNPre.";
    const expected = `a tensor ${name} [${shape.join(", ")}]`;
    return check.refuse({ argument: "source", received: "no such tensor", expected, fix }, FormatError);
  }
  if (!/^(float|bfloat)/.test(x.dtype)) {
    const fix = "save the weights as floats.";
    check.refuse({ argument: `source: ${name}`, received: x.dtype, expected: "floats", fix }, FormatError);
  }
  if (x.shape.join() === shape.join()) return x;
  const fix = "give the `cfg` that belongs to the file.";
  const expected = `[${shape.join(", ")}], as the configuration says`;
  return check.refuse({ argument: `source: ${name}`, received: x.shape, expected, fix }, ShapeError);
}

/** Sets a tensor in nested objects and lists by its path. */
function setAt(tree: object, path: string, x: Tensor): void {
  const names = path.split(".");
  const last = names.pop()!;
  let node = tree as Record<string, unknown>;
  for (const name of names) node = (node[name] ??= {}) as Record<string, unknown>;
  node[last] = x;
}

/** Folds biases that TransformerLens adds after the product of a gated MLP into the bias of the down projection. */
function foldInnerBiases(params: DecoderParams): void {
  for (const { feedForward } of params.layers) {
    if (feedForward === undefined || !("up" in feedForward)) continue;
    const { up, down } = feedForward;
    const [F, C] = [up.weight.shape[0]!, down.weight.shape[0]!];
    const written = reshape(linear(reshape(up.bias!, [1, F]), down.weight), [C]);
    down.bias = add(down.bias!, written);
    delete up.bias;
  }
}
