import { sizeOf, tensorsOf } from "@qkv/tensor";
import {
  cacheFor,
  loadAny,
  type AnyModel,
  type DualEncoderModel,
  type EncoderDecoderModel,
  type Model,
  type LayerType,
  type SpeechModel,
  type VisionModel,
} from "@qkv/transformer";
import type { Command } from "commander";
import type { Io } from "../io.js";
import { withJson } from "../json-result.js";
import { resolveModel, modelHelp } from "../open-model.js";
import { sizeLines } from "../size-lines.js";

type InspectResult = {
  kind: "decoder" | "encoder" | "encoder-decoder" | "vision" | "dual-encoder" | "speech";
  config: AnyModel["config"];
  /** Number of parameters; shared ones count once. */
  parameters: number;
  /**
   * KV cache per token in float32; 0 for encoders and layers with a state. For an encoder–decoder: per target token, and as many
   * for each source token. Unit: bytes.
   */
  kvBytesPerToken: number;
  /** Size of the states of recurrent layers, for any number of tokens. Unit: bytes. */
  stateBytes: number;
  embeddingParameters: number;
  /**
   * `type`: `full`, `sliding`, `chunked`, `none`, or the name of the mixer; for models with two stacks also the stack, such as
   * `encoder` or `image`. The attention of a decoder includes its cross-attention.
   */
  layers: { type: string; attention: number; feedForward: number }[];
};

/** Adds `qkv inspect`: layers, parameters and cache sizes of a model. */
export function addInspect(program: Command, io: Io): void {
  program
    .command("inspect")
    .summary("show the layers, heads and parameters of a model")
    .description(
      "Shows a model's layers, heads and parameters, and the size of its KV cache per token, with a diagram.",
    )
    .argument("<model>", modelHelp)
    .option("--json [file]", "write one JSON object to the file; without a file, print only that object")
    .action((model: string, options: { json?: true | string }) =>
      withJson(options.json, io, () => inspect(model, io), formatResult),
    );
}

async function inspect(source: string, { signal }: Io): Promise<InspectResult> {
  const model = await loadAny(await resolveModel(source, { signal }), { signal });
  const count = (tree: unknown) => tensorsOf(tree).reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  if (model.kind === "vision") return inspectImages(model, count);
  if (model.kind === "dual-encoder") return inspectDual(model, count);
  if (model.kind === "speech" || model.kind === "encoder-decoder") return inspectEncoderDecoder(model, count);
  const { kind, config, params } = model;
  const { perToken, states } = kind === "decoder" ? cacheBytes(model) : { perToken: 0, states: 0 };
  return {
    kind,
    config,
    parameters: count(params),
    kvBytesPerToken: perToken,
    stateBytes: states,
    embeddingParameters: count(params.embedding),
    layers: params.layers.map(({ attention, feedForward }, i) => ({
      type: typeName(kind === "decoder" ? config.layerTypes?.[i] : undefined),
      attention: count(attention),
      feedForward: count(feedForward),
    })),
  };
}

type Count = (tree: unknown) => number;

/** Parameters of each layer of a stack. */
function describeLayers(
  type: string,
  layers: readonly { attention: unknown; crossAttention?: unknown; feedForward: unknown }[],
  count: Count,
): InspectResult["layers"] {
  return layers.map(({ attention, crossAttention, feedForward }) => ({
    type,
    attention: count([attention, crossAttention]),
    feedForward: count(feedForward),
  }));
}

/** Cache sizes of a model without a cache. */
const noCache = { kvBytesPerToken: 0, stateBytes: 0 };

/** Description of a vision transformer. */
function inspectImages({ config, params }: VisionModel, count: Count): InspectResult {
  return {
    kind: "vision",
    config,
    parameters: count(params),
    ...noCache,
    embeddingParameters: count(patchParams(params)),
    layers: describeLayers("image", params.layers, count),
  };
}

/** Description of a dual encoder of texts and images. */
function inspectDual({ config, params }: DualEncoderModel, count: Count): InspectResult {
  return {
    kind: "dual-encoder",
    config,
    parameters: count(params),
    ...noCache,
    embeddingParameters: count([params.text.embedding, params.text.positions, patchParams(params.vision)]),
    layers: [
      ...describeLayers("text", params.text.layers, count),
      ...describeLayers("image", params.vision.layers, count),
    ],
  };
}

const patchParams = ({
  patches,
  classToken,
  distillationToken,
  registers,
  positions,
}: VisionModel["params"]) => [patches, classToken, distillationToken, registers, positions];

/** Description of an encoder–decoder or a speech model. */
function inspectEncoderDecoder(model: EncoderDecoderModel | SpeechModel, count: Count): InspectResult {
  const { config, params } = model;
  const { embedDim: C, numHeads, headDim = C / numHeads, numLayers } = config;
  const isSpeech = "leastFrames" in model;
  const embeddings = isSpeech ? model.params.encoder.convolutions : model.params.sourceEmbedding;
  return {
    kind: isSpeech ? "speech" : "encoder-decoder",
    config,
    parameters: count(params),
    kvBytesPerToken: 4 * numLayers * 2 * numHeads * headDim,
    stateBytes: 0,
    embeddingParameters: count([params.embedding, embeddings]),
    layers: [
      ...describeLayers("encoder", params.encoder.layers, count),
      ...describeLayers("decoder", params.decoder.layers, count),
    ],
  };
}

/** Cache sizes of a decoder, read from a cache after one token: per token for attention layers, in total for states. */
function cacheBytes({ config, params, apply }: Model): { perToken: number; states: number } {
  if (config.bidirectional) return { perToken: 0, states: 0 };
  const { numLayers, layerTypes, latent, indexer, sharedKeyValues, layerOverrides } = config;
  // The cache has an entry for each stateful part: attention, then a parallel mixer, or the feed-forward layer.
  const parts = Array.from({ length: numLayers }, (_, layer) => {
    const [type, feedForward] = [layerTypes?.[layer] ?? "full", config.feedForwardLayers?.[layer]];
    const attentionParts = (sharedKeyValues?.[layer] ?? layer) === layer ? cachedParts(type) : [];
    const kinds =
      typeof feedForward === "object" && feedForward.recurrent
        ? [...attentionParts, "state"]
        : attentionParts;
    return kinds.map((kind) => ({ kind, layer }));
  }).flat();
  const elementsPerToken = (layer: number): number => {
    // Latent attention: values are part of the stored row, so they are not counted again.
    if (latent) return latent.kvRank + latent.ropeDim + (indexer?.headDim ?? 0);
    const { numKvHeads, headDim = config.embedDim / config.numHeads } = {
      ...config,
      ...layerOverrides?.[layer],
    };
    return 2 * numKvHeads * headDim;
  };
  const cache = cacheFor(config);
  if (parts.some(({ kind }) => kind === "state")) apply(params, [0], { cache, last: 1 });
  const partStates = parts.map(({ kind }, i) => (kind === "state" ? cache.state(i) : undefined));
  const states = tensorsOf(partStates.filter((state) => state !== undefined)).reduce(
    (sum, { shape }) => sum + shape.reduce((a, b) => a * b, 4),
    0,
  );
  const keyValueParts = parts.filter(({ kind }) => kind === "keyValues");
  return { perToken: 4 * keyValueParts.reduce((sum, { layer }) => sum + elementsPerToken(layer), 0), states };
}

/** Entries of the cache that a layer's attention uses. */
function cachedParts(type: LayerType): readonly ("keyValues" | "state")[] {
  if (typeof type === "string") return type === "none" ? [] : ["keyValues"];
  return "mixer" in type ? ["keyValues", "state"] : [type.recurrent ? "state" : "keyValues"];
}

const typeName = (type: LayerType = "full"): string => {
  if (typeof type === "string") return type;
  return "mixer" in type ? `${type.attention} and ${type.mixer.name ?? "mixer"}` : (type.name ?? "own");
};

/** One line for each layer, with bars in proportion to the parameters of its parts. */
function formatResult({
  kind,
  config,
  parameters,
  kvBytesPerToken,
  stateBytes,
  embeddingParameters,
  layers,
}: InspectResult): string {
  const largest = Math.max(1, ...layers.map(({ attention, feedForward }) => attention + feedForward));
  const bar = (count: number, sign: string) => sign.repeat(Math.round((40 * count) / largest));
  const million = (count: number) =>
    count >= 1e6 ? `${(count / 1e6).toFixed(1)}M` : `${(count / 1e3).toFixed(1)}k`;
  const typeWidth = Math.max(6, ...layers.map(({ type }) => type.length));
  return [
    ...sizeLines(config).map((line, i) => (i === 0 ? `${million(parameters)} parameters: ${line}` : line)),
    ...(stateBytes === 0 ? [] : [`${stateBytes} bytes of states in float32, for any number of tokens`]),
    memoryLine(kind, config, kvBytesPerToken, stateBytes),
    "",
    `  embedding  ${million(embeddingParameters)}`,
    ...layers.map(
      ({ type, attention, feedForward }, i) =>
        `${String(i).padStart(4)}  ${(type === "sliding" ? "window" : type).padEnd(typeWidth)} ${bar(attention, "=")}${bar(feedForward, "#")}  ${million(attention + feedForward)}`,
    ),
    `      (= attention, # feed-forward)`,
    "",
  ].join("\n");
}

/** Cache sizes as text. */
function memoryLine(
  kind: InspectResult["kind"],
  config: AnyModel["config"],
  kvBytesPerToken: number,
  stateBytes: number,
): string {
  if (kvBytesPerToken > 0 && "contextLength" in config) {
    const mebibytes = (kvBytesPerToken * config.contextLength) / 2 ** 20;
    return `${kvBytesPerToken} bytes of cache a token in float32; ${mebibytes.toFixed(1)} MiB for a full context`;
  }
  if (stateBytes > 0) return "no keys and values: all layers with memory are recurrent";
  return kind === "dual-encoder" ? "two encoders: no cache" : "an encoder: no cache";
}
