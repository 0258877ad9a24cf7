import type { Cache } from "@qkv/attention-contract";
import { checks } from "@qkv/core";
import { growingCache, quantizedCache, rollingCache } from "@qkv/kv-cache";
import { uniform, type Tensor, type TypedArray } from "@qkv/tensor";
import { candidates, promptLookup, type Model } from "@qkv/transformer";
import {
  generation,
  type CachedAs,
  type GeneratedToken,
  type GenerationBranch,
  type GenerationChoices,
  type GenerationModel,
} from "@qkv/viz/figures/generation";
import { candidateList, type Pin } from "./candidate-list.js";

/** Sizes of the offered caches, small enough to have an effect on a sentence. */
const rolling = { windowSize: 4, keepFirst: 1 };
const quantized = { groupSize: 4, residualLength: 0 };
const lookup = { ngramSize: 3, draftLength: 4 };
/** Maximum length of a prompt. Only the last tokens of a longer one are used. Unit: tokens. */
const maxPromptLength = 24;
/** Minimum number of tokens after a fork. */
const minTokensAfterFork = 3;
const maxBranchLength = 64;

type UsedCache = Cache & { crop(length: number): void };
type Settings = Pick<GenerationChoices, "temperature" | "topP" | "seed" | "cache" | "draft">;

/**
 * Computes the numbers of *Writing, token by token*: a model continues a text as `generate` does, with the same seed, and the
 * weights, the cache and the probabilities of each token are kept.
 *
 * @param model - A decoder with its tokenizer, as `load` returns it.
 * @param choices - Those of the figure. `branches` and `branch` name tokens that were taken instead of drawn.
 * @throws {ArgumentError} If a choice is not one that the figure offers, or has another name; or if the model has no
 *   tokenizer. The signal's reason, when it aborts.
 *
 * @example
 * ```ts
 * import { generationModel } from "@qkv/figures";
 * import { modelTiny } from "@qkv/model-tiny";
 * import { load } from "@qkv/transformer";
 *
 * const model = await load(await modelTiny());
 * const { generated } = await generationModel(model, { text: "The cat sat on the", seed: 5 });
 * generated.map(({ text }) => text).join(""); // => " mat. Then it followed"
 * ```
 */
export async function generationModel(
  model: Model,
  choices: Partial<GenerationChoices> = {},
  { signal }: { signal?: AbortSignal } = {},
): Promise<GenerationModel> {
  const check = checks("generationModel");
  const isDecoder = (value: unknown) => {
    const { apply, tokenizer } = (value ?? {}) as Partial<Model>;
    return typeof apply === "function" && tokenizer !== undefined;
  };
  check.each(
    { model },
    isDecoder,
    "a decoder with its tokenizer",
    "load one: await load(await modelTiny()).",
  );
  const options = Object.keys(generation.initial) as (keyof GenerationChoices)[];
  const given = { ...generation.initial, ...check.options(choices, options) };
  const { text, tokens, temperature, topP, seed, cache, draft, branches, branch } = given;
  check.type({ text, branches, branch }, "string");
  check.whole({ tokens }, { min: 1, max: maxBranchLength, unit: "tokens" });
  check.whole({ seed }, { min: 0 });
  check.finite({ temperature }, { min: 0 });
  check.finite({ topP }, { above: 0, max: 1 });
  check.oneOf({ cache }, ["contiguous", "rolling", "quantized"]);
  check.oneOf({ draft }, ["none", "prompt-lookup"]);

  const { config, tokenizer } = model;
  const encoded = tokenizer!.encode(text, { addSpecialTokens: false }).slice(-maxPromptLength);
  // An empty text is continued from a stop token, after which a new text begins.
  const ids = encoded.length > 0 ? encoded : config.stopIds.slice(0, 1);
  const promptName = promptHash(ids);
  const settings = { temperature, topP, seed, cache, draft };
  const names = ["", ...branches.split("_"), branch];
  const runs: { name: string; run: GeneratedToken[] }[] = [];
  let chosen = 0;
  for (const name of new Set(names)) {
    signal?.throwIfAborted();
    const pins = parsePins(name, promptName, config.vocabSize);
    if (name !== "" && pins.length === 0) continue;
    const limit = name === "" ? tokens : Math.max(tokens, pins.length + minTokensAfterFork);
    const run = await generateTokens(model, ids, pins, limit, settings);
    // Branches with different names may have the same tokens.
    const same = runs.findIndex((other) => startsLike(run, other.run));
    if (same < 0) runs.push({ name, run });
    if (name === branch) chosen = same < 0 ? runs.length - 1 : same;
    await new Promise((resolve) => setTimeout(resolve));
  }
  signal?.throwIfAborted();
  const D = config.headDim ?? config.embedDim / config.numHeads;
  return {
    prompt: ids.map((id) => tokenText(model, id)),
    generated: runs[chosen]!.run,
    branches: tree(runs),
    branch: chosen,
    promptName,
    numLayers: config.numLayers,
    numHeads: config.numHeads,
    vocabSize: config.vocabSize,
    bytesPerToken: config.numLayers * 2 * config.numKvHeads * D * 4,
    ...settings,
  };
}

/** Generates tokens as `generate` does, except for pinned ones, and records the numbers of each. */
async function generateTokens(
  model: Model,
  prompt: readonly number[],
  pins: readonly Pin[],
  limit: number,
  settings: Settings,
): Promise<GeneratedToken[]> {
  const { temperature, topP, seed, draft: drafts } = settings;
  const { config, params } = model;
  const cache = newCache(settings, config.numLayers);
  const tokens: (GeneratedToken & { logits: TypedArray })[] = [];
  let pending: readonly number[] = prompt;
  for (let pass = 0, ended = false; tokens.length < limit && !ended; pass++) {
    const written = tokens.map(({ id }) => id);
    const draft =
      drafts === "prompt-lookup" && pass > 0
        ? promptLookup([...prompt, ...written], lookup).slice(0, limit - tokens.length - 1)
        : [];
    const input = [...pending, ...draft];
    const start = cache.length;
    const tensors: Record<string, Tensor> = {};
    const count = draft.length + 1;
    const logits = await model
      .apply(params, input, { cache, last: count, trace: { names: ["weights"], tensors } })
      .read();
    const weights = await readWeights(model, tensors, { start, added: input.length, cache: settings.cache });
    for (let i = 0; i < count && !ended; i++) {
      const n = tokens.length;
      const T = prompt.length + n;
      const row = logits.slice(logits.length - (count - i) * config.vocabSize).slice(0, config.vocabSize);
      const draw =
        temperature === 0 ? undefined : uniform([1], { seed, first: n, dtype: "float64" }).data[0]!;
      const pinned = pins[n];
      const list = candidateList(row, { temperature, topP, draw: Number(draw ?? 0), pinned }, (id) =>
        nextText(model, id),
      );
      const id = list.candidates[list.taken]!.id;
      const states = cachedAs(cache, settings.cache, T);
      ended = config.stopIds.includes(id);
      tokens.push({
        id,
        text: nextText(model, id),
        ends: ended,
        weights: weights(T - start - 1, T),
        cache: states,
        cacheBytes: cacheBytes(model, states),
        ...list,
        draw: pinned === undefined && draw !== undefined ? Number(draw) : undefined,
        pinned: pinned !== undefined,
        pass,
        draft: draft.slice(i).map((each) => nextText(model, each)),
        logits: row,
      });
      if (tokens.length === limit || draft[i] !== id) break;
    }
    const cachedLength = prompt.length + tokens.length - 1;
    if (cache.length > cachedLength) cache.crop(cachedLength);
    pending = tokens.slice(-1).map(({ id }) => id);
  }
  if (settings.cache === "contiguous") return tokens.map(({ logits: _, ...token }) => token);
  return withExact(model, prompt, tokens);
}

/** Adds the exact probabilities, by one forward pass over the whole text. */
async function withExact(
  model: Model,
  prompt: readonly number[],
  tokens: readonly (GeneratedToken & { logits: TypedArray })[],
): Promise<GeneratedToken[]> {
  const { config, params } = model;
  const ids = [...prompt, ...tokens.map(({ id }) => id)].slice(0, -1);
  const logits = await model.apply(params, ids, { last: tokens.length }).read();
  return tokens.map(({ logits: _, ...token }, i) => {
    const from = logits.length - (tokens.length - i) * config.vocabSize;
    const exact = new Map(
      candidates(logits.slice(from, from + config.vocabSize), { temperature: 1 }).map((one) => [
        one.id,
        one.probability,
      ]),
    );
    return {
      ...token,
      candidates: token.candidates.map((one) => ({ ...one, exact: exact.get(one.id)! })),
    };
  });
}

function newCache({ cache, draft }: Settings, numLayers: number): UsedCache {
  switch (cache) {
    case "contiguous":
      return growingCache({ numLayers });
    case "quantized":
      return quantizedCache({ numLayers, ...quantized });
    case "rolling":
      // Room for draft tokens, which are removed if rejected.
      return rollingCache({ numLayers, ...rolling, room: draft === "none" ? 1 : lookup.draftLength + 1 });
  }
}

/** The form of each of `T` tokens in the cache. */
function cachedAs(cache: UsedCache, kind: Settings["cache"], T: number): CachedAs[] {
  const positions = Array.from({ length: T }, (_, position) => position);
  if (kind === "contiguous") return positions.map(() => "float32");
  if (kind === "rolling")
    return positions.map((position) =>
      position < rolling.keepFirst || position >= T - rolling.windowSize ? "float32" : "evicted",
    );
  const { key } = (cache as unknown as { read(layer: number): { key: unknown } }).read(0);
  const blocks = (Array.isArray(key) ? key : [key]).find((each: object) => "blockLength" in each) as
    { length: number } | undefined;
  return positions.map((position) => (position < (blocks?.length ?? 0) ? "int8" : "float32"));
}

/** Bytes of the cache: float32 tokens, and int8 tokens with scales of keys per group and of values per token. */
function cacheBytes({ config }: Model, states: readonly CachedAs[]): number {
  const { numLayers, numKvHeads, embedDim, numHeads } = config;
  const D = config.headDim ?? embedDim / numHeads;
  const floats = states.filter((state) => state === "float32").length;
  const codes = states.filter((state) => state === "int8").length;
  const keyScales = (codes / quantized.groupSize) * D * 4;
  return numLayers * numKvHeads * (floats * 2 * D * 4 + codes * 2 * D + keyScales + codes * 4);
}

/** Reads traced weights. Returns a function of a row of the pass, which gives the weights over the first `T` positions by head. */
async function readWeights(
  { config }: Model,
  tensors: Readonly<Record<string, Tensor>>,
  { start, added, cache }: { start: number; added: number; cache: Settings["cache"] },
) {
  const layers = await Promise.all(
    Array.from({ length: config.numLayers }, async (_, layer) => {
      const x = tensors[`layers.${layer}.attention.weights`]!;
      return { data: await x.read(), shape: x.shape };
    }),
  );
  const [, H, rows, S] = layers[0]!.shape as [number, number, number, number];
  // Columns: positions in the cache, then those of the pass.
  const positions = Array.from({ length: start }, (_, position) => position)
    .filter((p) => cache !== "rolling" || p < rolling.keepFirst || p > start - rolling.windowSize)
    .concat(Array.from({ length: added }, (_, i) => start + i));
  if (positions.length !== S)
    throw new Error(`generationModel: ${S} columns of weights for ${positions.length} positions`);
  return (row: number, T: number): number[][] =>
    layers.flatMap(({ data }) =>
      Array.from({ length: H }, (_, head) => {
        const list = new Array<number>(T).fill(0);
        positions.forEach((position, column) => {
          if (position < T) list[position] = Number(data[(head * rows + row) * S + column]);
        });
        return list;
      }),
    );
}

/** Finds the parent of each branch: the earlier branch with the longest common prefix. */
function tree(known: readonly { name: string; run: readonly GeneratedToken[] }[]): GenerationBranch[] {
  return known.map(({ name, run }, index) => {
    let [parent, forkedAt] = [0, 0];
    for (let other = 0; other < index; other++) {
      const same = sharedLength(run, known[other]!.run);
      if (same > forkedAt) [parent, forkedAt] = [other, same];
    }
    const probability = run.reduce((all, { candidates, taken }) => all * candidates[taken]!.probability, 1);
    return { name, tokens: run.map(({ text }) => text), probability, parent, forkedAt };
  });
}

function sharedLength(a: readonly GeneratedToken[], b: readonly GeneratedToken[]): number {
  const differs = a.findIndex(({ id }, i) => b[i]?.id !== id);
  return differs < 0 ? a.length : differs;
}

/** True if one list of tokens is a prefix of the other. */
const startsLike = (a: readonly GeneratedToken[], b: readonly GeneratedToken[]) =>
  sharedLength(a, b) === Math.min(a.length, b.length);

/** Hash of a prompt in base 36 (FNV-1a, 32 bits), the prefix of the names of its branches. */
function promptHash(ids: readonly number[]): string {
  const hash = ids.reduce((all, id) => Math.imul(all ^ id, 0x01000193), 0x811c9dc5);
  return (hash >>> 0).toString(36);
}

/** Parses the pinned tokens from the name of a branch. Empty if it is no branch of this prompt. */
function parsePins(name: string, promptName: string, vocabSize: number): Pin[] {
  const [owner, ...rest] = name.split(".");
  const isPin = (text: string) => /^r?\d{1,9}$/.test(text) && Number(text.replace("r", "")) < vocabSize;
  if ((owner !== promptName && owner !== "*") || rest.length > maxBranchLength || !rest.every(isPin))
    return [];
  return rest.map((text) => (text.startsWith("r") ? { rank: Number(text.slice(1)) } : { id: Number(text) }));
}

/** Text of a generated token, with a name for a stop token. */
const nextText = (model: Model, id: number): string =>
  model.config.stopIds.includes(id) ? "(end)" : tokenText(model, id);

/** A copy of `tokenText` of token-text.ts: bundlers would put a shared module into a chunk that all figures load. */
function tokenText({ tokenizer }: Model, id: number): string {
  const text = tokenizer!.decode([id], { skipSpecialTokens: false });
  return text.includes("\u{fffd}") ? (tokenizer!.token(id) ?? text) : text;
}
