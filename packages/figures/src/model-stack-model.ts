import { causal, chunked, describe, slidingWindow, type Mask } from "@qkv/attention";
import { checks } from "@qkv/core";
import {
  cost,
  formats,
  kvCache,
  parameters,
  readConfig,
  type AttentionShape,
  type HeadsAttention,
  type ModelShape,
  type Reach,
} from "@qkv/cost";
import { knownModels } from "@qkv/cost/models";
import {
  modelStack,
  type ModelStackChoices,
  type ModelStackModel,
  type StackedModel,
  type StackHeads,
  type StackKind,
  type StackSide,
} from "@qkv/viz/figures/model-stack";
import { foldLayers } from "./fold-layers.js";

const lengths = /* @__PURE__ */ Array.from({ length: 11 }, (_, i) => 1024 * 2 ** i); // to 1,048,576
/** Size of the drawn masks, and of their windows and chunks. Unit: tokens. */
const [drawnTokens, drawnWindow] = [12, 4];
/** Maximum number of layers of the tiny model. */
const fewLayers = 8;

/**
 * Computes the numbers of *How a model attends*: layers by `readConfig`, bytes and operations by `@qkv/cost`, masks by
 * `@qkv/attention`, and, of an architecture that `@qkv/transformer` runs, the maps of a tiny random decoder.
 *
 * @param options - `config`: the configuration of the model `own`, a `config.json` as text or object.
 * @throws {ArgumentError} If a choice is not one that the figure offers, or `readConfig` does not know a field.
 *
 * @example
 * ```ts
 * import { modelStackModel } from "@qkv/figures/model-stack";
 *
 * const { models } = await modelStackModel({ model: "gemma-3-27b" });
 * models[0].kinds.map(({ layers, short }) => `${layers} ${short}`); // => ["52 sliding", "10 full"]
 * models[0].sides[0]!.runs[0]; // => { pattern: [0, 0, 0, 0, 0, 1], times: 10 }
 * ```
 */
export async function modelStackModel(
  choices: Partial<ModelStackChoices> = {},
  options: { config?: unknown } = {},
): Promise<ModelStackModel> {
  const check = checks("modelStackModel");
  const given = { ...modelStack.initial, ...check.options(choices, ["model", "compare"], "choices") };
  const { config } = check.options(options, ["config"]);
  const hasOwnConfig = config !== undefined;
  const ids = [...(hasOwnConfig ? ["own"] : []), ...knownModels.map(({ id }) => id)];
  check.oneOf({ model: given.model }, ids);
  check.oneOf({ compare: given.compare }, ["", ...ids]);
  const wanted = given.compare === "" ? [given.model] : [given.model, given.compare];
  const models = await Promise.all(wanted.map((id) => stackedModel(id, config)));
  const sortedModels = [...knownModels].sort((a, b) => a.name.localeCompare(b.name, "en"));
  return {
    lengths,
    drawnWindow,
    models: models as [StackedModel] | [StackedModel, StackedModel],
    offers: [
      ...(hasOwnConfig ? [{ value: "own", label: "your config.json", title: "the file that you gave" }] : []),
      ...sortedModels.map(({ id, name, year }) => ({ value: id, label: name, title: String(year) })),
    ],
  };
}

async function stackedModel(id: string, config: unknown): Promise<StackedModel> {
  const known = knownModels.find((model) => model.id === id);
  const shape = readConfig(known ? known.config : config);
  const { kinds: attentions, sides } = stackLayers(shape);
  const { total, active } = parameters(shape);
  const name = known?.name ?? ownName(config);
  const tiny = await tinyMaps(name, shape, attentions, sides);
  const kinds = attentions.map(({ attention, cross, side, layers }, i): StackKind => {
    const caches = side === "decoder";
    const perToken = caches ? numbersPerToken(attention) : 0;
    return {
      ...kindName(attention, cross, shape.decoder !== undefined),
      id: kindId(attention, cross, i),
      layers,
      limit: cross ? null : seenLimit(attention),
      cross,
      heads: stackHeads(attention),
      bytesPerToken: perToken * formats.float16.bytesPerNumber,
      stateBytes: caches && !cross ? stateBytes(shape, attention) : 0,
      mask: attention.kind === "state" ? null : reachMask(attention.reach),
      maps: tiny.maps[i] ?? [],
    };
  });
  const layers = shape.decoder?.layers ?? [];
  // A recurrent layer is compared with an attention layer of the model.
  const attentionShapes = layers.flatMap(({ attention }) => (attention.kind === "none" ? [] : [attention]));
  const attends = attentionShapes.find(({ kind }) => kind !== "state");
  const sum = (numbers: (attention: AttentionShape) => number) =>
    formats.float16.bytesPerNumber *
    attentionShapes.reduce((bytes, one) => bytes + numbers(one.kind === "state" ? (attends ?? one) : one), 0);
  return {
    id,
    name,
    year: known?.year ?? null,
    architecture: shape.architecture,
    kinds,
    sides,
    parameters: total,
    activeParameters: active,
    embedDim: shape.embedDim,
    experts: expertCounts(shape),
    contextLength: shape.contextLength,
    bytesPerToken: kvCache(shape).bytesPerToken,
    fullBytesPerToken: sum(numbersPerToken),
    unsharedBytesPerToken: sum(unsharedNumbers),
    cacheBytes: lengths.map((contextLength) => kvCache(shape, { contextLength }).bytes),
    flops: lengths.map((length) => flopsPerToken(shape, length)),
    tiny: tiny.text,
  };
}

type Side = "encoder" | "decoder" | "images";
type Kind = { attention: AttentionShape; cross: boolean; side: Side; layers: number };

/** The kinds of layers with their numbers of layers. Cross-attention is a kind of its own. */
function stackLayers(shape: ModelShape): { kinds: Kind[]; sides: StackSide[] } {
  const kinds: (Kind & { key: string })[] = [];
  const indexOf = (attention: AttentionShape, cross: boolean, side: Side) => {
    const key = JSON.stringify([attention, cross, side]);
    const at = kinds.findIndex((kind) => kind.key === key);
    return at >= 0 ? at : kinds.push({ key, attention, cross, side, layers: 0 }) - 1;
  };
  const both = shape.encoder !== undefined && shape.decoder !== undefined;
  const stacks = { encoder: shape.encoder, decoder: shape.decoder, images: shape.images?.encoder };
  const sides = (["encoder", "decoder", "images"] as const).flatMap((name): StackSide[] => {
    const stack = stacks[name];
    if (!stack) return [];
    const layers = stack.layers.flatMap(({ attention, cross }) => {
      if (attention.kind === "none") return [];
      const index = indexOf(attention, false, name);
      kinds[index]!.layers++;
      if (cross) kinds[indexOf(cross, true, name)]!.layers++;
      return index;
    });
    const title = shape.images && name === "encoder" ? "texts" : both || shape.images ? name : "";
    return [
      { name: title.replace(/^./, (letter) => letter.toUpperCase()), layers, runs: foldLayers(layers) },
    ];
  });
  return { kinds, sides };
}

function kindId(attention: AttentionShape, cross: boolean, index: number): string {
  const reach = attention.kind === "state" ? "state" : attention.reach.kind;
  return `${cross ? "cross" : reach}-${index}`;
}

const count = (value: number) => value.toLocaleString("en-US");

function kindName(
  attention: AttentionShape,
  cross: boolean,
  decodes: boolean,
): { name: string; short: string } {
  if (cross) return { name: "Cross-attention to the encoder", short: "cross" };
  if (attention.kind === "state") return { name: "Linear attention: a state, no cache", short: "linear" };
  const { reach } = attention;
  const shared = sharesCache(attention) ? ", keys and values of an earlier layer" : "";
  switch (reach.kind) {
    case "causal":
      return {
        name: attention.kind === "latent" ? "Full attention, latent (MLA)" : `Full attention${shared}`,
        short: "full",
      };
    case "all":
      return { name: "Full attention, in both directions", short: decodes ? "both ways" : "full" };
    case "window":
      return { name: `Sliding window of ${count(reach.size)} tokens${shared}`, short: "sliding" };
    case "around":
      return { name: `Window of ${count(reach.size)} tokens on each side`, short: "window" };
    case "chunk":
      return { name: `Chunks of ${count(reach.size)} tokens`, short: "chunked" };
  }
}

function seenLimit(attention: AttentionShape): number | null {
  if (attention.kind === "state") return 0;
  const { reach } = attention;
  if (reach.kind === "window" || reach.kind === "chunk") return reach.size;
  return reach.kind === "around" ? 2 * reach.size + 1 : null;
}

function stackHeads(attention: AttentionShape): StackHeads {
  switch (attention.kind) {
    case "heads": {
      const { numHeads, numKvHeads, headDim } = attention;
      const kind = numKvHeads === numHeads ? "MHA" : numKvHeads === 1 ? "MQA" : "GQA";
      return { kind, numHeads, numKvHeads, keyDim: headDim, valueDim: headDim };
    }
    case "latent": {
      const { numHeads, kvRank, ropeDim } = attention;
      return { kind: "MLA", numHeads, numKvHeads: 1, keyDim: kvRank, valueDim: ropeDim };
    }
    case "state": {
      const { numKeyHeads, numValueHeads, keyDim, valueDim } = attention;
      return { kind: "state", numHeads: numKeyHeads, numKvHeads: numValueHeads, keyDim, valueDim };
    }
  }
}

/** True for a layer that reads the keys and values of another. */
const sharesCache = (attention: AttentionShape): boolean =>
  attention.kind === "heads" && attention.sharesKeyValues === true;

/** Elements that one layer caches per token. */
function numbersPerToken(attention: AttentionShape): number {
  if (attention.kind === "state" || sharesCache(attention)) return 0;
  return attention.kind === "latent"
    ? attention.kvRank + attention.ropeDim + (attention.indexer?.headDim ?? 0)
    : 2 * attention.numKvHeads * attention.headDim;
}

/** Elements that one layer would cache per token if each query head had its own keys and values. */
function unsharedNumbers(attention: AttentionShape): number {
  if (attention.kind === "state") return 0;
  if (attention.kind === "heads") return 2 * attention.numHeads * attention.headDim;
  const { numHeads, nopeDim, ropeDim, valueDim } = attention;
  return numHeads * (nopeDim + ropeDim + valueDim);
}

/** Bytes of the recurrent state of a layer, with or without attention, as `kvCache` counts them. */
function stateBytes(shape: ModelShape, attention: AttentionShape): number {
  const layer = shape.decoder!.layers.find((each) => each.attention === attention)!;
  const alone = { ...shape, decoder: { ...shape.decoder!, layers: [layer] } };
  const { bytes, bytesPerToken } = kvCache(alone, { contextLength: 1 });
  return bytes - bytesPerToken;
}

function reachMask(reach: Reach): boolean[][] {
  const masks: Record<Reach["kind"], () => Mask | undefined> = {
    all: () => undefined,
    causal: () => causal(),
    window: () => slidingWindow(drawnWindow),
    chunk: () => chunked(drawnWindow),
    around: () => slidingWindow({ before: drawnWindow / 2, after: drawnWindow / 2 }),
  };
  const mask = masks[reach.kind]();
  const extent = { queryLength: drawnTokens, keyLength: drawnTokens };
  const seen = mask && describe(mask, extent).picture.data;
  return Array.from({ length: drawnTokens }, (_, query) =>
    Array.from({ length: drawnTokens }, (_, key) => !seen || seen[query * drawnTokens + key]! > 0),
  );
}

function expertCounts({ decoder, encoder }: ModelShape): StackedModel["experts"] {
  for (const { feedForward } of (decoder ?? encoder)?.layers ?? [])
    if (feedForward.kind === "experts")
      return { count: feedForward.numExperts, perToken: feedForward.expertsPerToken };
  return null;
}

/** Operations for one more token of a decoder, for each token of a text that an encoder reads, or for each row of an image. */
function flopsPerToken({ images: _, ...shape }: ModelShape, length: number): number {
  const { encoder, decoder } = shape;
  if (!decoder) {
    const queryLength = encoder?.rows ?? length;
    return Math.round(cost(shape, { queryLength }).flops / queryLength);
  }
  const source = encoder ? { sourceLength: encoder.rows ?? length, encodes: false } : {};
  return cost(shape, { contextLength: length, ...source }).flops;
}

function ownName(config: unknown): string {
  const object = (typeof config === "string" ? JSON.parse(config) : config) as Record<string, unknown>;
  const path = object["_name_or_path"];
  return (typeof path === "string" && path.split("/").at(-1)!.slice(0, 40)) || "Your model";
}

async function tinyMaps(
  name: string,
  shape: ModelShape,
  kinds: readonly Kind[],
  sides: readonly StackSide[],
): Promise<{ maps: readonly StackKind["maps"][]; text: string }> {
  const { runnable, tinyDecoder } = await import("./tiny-decoder.js");
  const runs = (kind: Kind): kind is Kind & { attention: HeadsAttention } =>
    kind.attention.kind === "heads" && ["causal", "window"].includes(kind.attention.reach.kind);
  if (!shape.decoder || !runnable.includes(shape.architecture) || !kinds.every(runs)) {
    const why =
      shape.encoder === undefined
        ? `@qkv/transformer does not run “${shape.architecture}” models yet`
        : "only models without an encoder run here";
    return { maps: [], text: `No tiny ${name}: ${why}.` };
  }
  // One repetition of each run, or, if that is too many layers, one layer of each kind.
  const patterns = sides[0]!.runs.flatMap(({ pattern }) => pattern);
  const each = patterns.length <= fewLayers ? patterns : kinds.map((_, i) => i);
  const layers = each.length === 1 ? [...each, ...each] : each;
  const { config, maps } = tinyDecoder(
    shape,
    kinds.map(({ attention }) => attention),
    layers,
    drawnWindow,
  );
  const { numLayers, numHeads, numKvHeads, embedDim } = config;
  const size = `${numLayers} layers of width ${embedDim}, ${numHeads} query heads, ${numKvHeads} KV ${numKvHeads === 1 ? "head" : "heads"}`;
  return {
    maps,
    text: `The tiny ${name} has ${size}.`,
  };
}
