import { checks } from "@qkv/core";
import { formats, kvCache, machines, readCacheLayers } from "@qkv/cost";
import {
  headsAndKeys,
  type HeadsAndKeysChoices,
  type HeadsAndKeysModel,
  type HeadsKind,
} from "@qkv/viz/figures/heads-and-keys";

type Published = { label: string; numHeads: number; numKvHeads: number; headDim: number; numLayers: number };

/**
 * Sizes of a latent and of its rotary key, in head sizes, as in DeepSeek-V2 and -V3: 512 and 64, with heads of 128.
 */
const latentHeads = 4;
const rotaryHeads = 1 / 2;

/** Sizes from the published configurations. */
const published: Readonly<Record<string, Published>> = {
  "transformer-base": { label: "Transformer base", numHeads: 8, numKvHeads: 8, headDim: 64, numLayers: 6 },
  "gemma-2b": { label: "Gemma 2B", numHeads: 8, numKvHeads: 1, headDim: 256, numLayers: 18 },
  "qwen3-0.6b": { label: "Qwen3 0.6B", numHeads: 16, numKvHeads: 8, headDim: 128, numLayers: 28 },
  "llama-2-7b": { label: "Llama 2 7B", numHeads: 32, numKvHeads: 32, headDim: 128, numLayers: 32 },
  "llama-3.1-8b": { label: "Llama 3.1 8B", numHeads: 32, numKvHeads: 8, headDim: 128, numLayers: 32 },
  "llama-3.1-70b": { label: "Llama 3.1 70B", numHeads: 64, numKvHeads: 8, headDim: 128, numLayers: 80 },
  "deepseek-v3": { label: "DeepSeek-V3", numHeads: 128, numKvHeads: 128, headDim: 128, numLayers: 61 },
};

/** Machines whose times are estimated from their published bandwidth. "here" measures instead. */
const estimates = /* @__PURE__ */ (() => {
  const { h100, b200, t4, browserTab: tab } = machines;
  return { h100, b200, t4, tab };
})();

const words = /* @__PURE__ */ "The cat sat on the mat because it was tired . It slept all day long".split(
  " ",
);
const lengths = /* @__PURE__ */ (() => [
  ...words.map((_, i) => i + 1),
  ...Array.from({ length: 13 }, (_, i) => words.length * 2 ** (i + 1)), // to 131,072
])();

/**
 * Computes the numbers of *KV cache size: MHA, GQA, MQA and MLA*: bytes by `kvCache` of `@qkv/cost`, times as estimates. With `time: "here"`
 * give what {@link measureHeads} found.
 *
 * @throws {ArgumentError} If a choice is not one that the figure offers, or has another name.
 *
 * @example
 * ```ts
 * import { headsAndKeysModel } from "@qkv/figures/heads-and-keys";
 *
 * const { kinds } = headsAndKeysModel({ model: "llama-3.1-8b" });
 * kinds.map(({ name, bytesPerToken }) => `${name} ${bytesPerToken}`); // => ["MHA 524288", "GQA 131072", "MQA 16384", "MLA 36864"]
 * ```
 */
export function headsAndKeysModel(
  choices: Partial<HeadsAndKeysChoices> = {},
  measured?: HeadsAndKeysModel["time"],
): HeadsAndKeysModel {
  const check = checks("headsAndKeysModel");
  const names = Object.keys(headsAndKeys.initial) as (keyof HeadsAndKeysChoices)[];
  const given = { ...headsAndKeys.initial, ...check.options(choices, names) };
  check.oneOf({ model: given.model }, Object.keys(published));
  check.oneOf({ time: given.time }, [...Object.keys(estimates), "here"]);
  const { label, headDim, numLayers, ...own } = published[given.model]!;
  check.oneOf({ numHeads: given.numHeads }, [0, ...counts.slice(1)]);
  check.oneOf({ numKvHeads: given.numKvHeads }, [0, ...counts]);
  const numHeads = given.numHeads || own.numHeads;
  const isGrouped = own.numKvHeads > 1 && own.numKvHeads < own.numHeads;
  const ownKvHeads = isGrouped ? own.numKvHeads : own.numHeads / 4;
  const numKvHeads = Math.min(given.numKvHeads || ownKvHeads, numHeads);
  const sized = (sizes: Record<string, number>) => {
    const layers = readCacheLayers({ n_layers: numLayers, ...sizes });
    return {
      bytesPerToken: kvCache(layers).bytesPerToken,
      bytes: lengths.map((contextLength) => kvCache(layers, { contextLength }).bytes),
    };
  };
  const kind = (id: string, name: string, title: string, heads: number, usedBy: string): HeadsKind => ({
    id,
    name,
    title,
    numKvHeads: heads,
    parts: [
      { name: "key", size: headDim },
      { name: "value", size: headDim },
    ],
    ...sized({ n_kv_heads: heads, head_dim: headDim }),
    usedBy,
  });
  const [kvRank, ropeDim] = [latentHeads * headDim, rotaryHeads * headDim];
  const latent: HeadsKind = {
    id: "mla",
    name: "MLA",
    title: "latent",
    numKvHeads: 1,
    parts: [
      { name: "latent", size: kvRank },
      { name: "rotary key", size: ropeDim },
    ],
    ...sized({ kv_lora_rank: kvRank, qk_rope_head_dim: ropeDim }),
    usedBy: "DeepSeek-V3",
  };
  const machine = estimates[given.time as keyof typeof estimates] ?? machines.h100;
  return {
    numHeads,
    headDim,
    numLayers,
    bytesPerNumber: formats.float16.bytesPerNumber,
    words,
    lengths,
    kinds: [
      kind("mha", "MHA", "multi-head", numHeads, "Llama 2 7B"),
      kind("gqa", "GQA", "grouped-query", numKvHeads, "Llama 3.1 8B"),
      kind("mqa", "MQA", "multi-query", 1, "Gemma 2B"),
      latent,
    ],
    time: measured ?? { kind: "estimate", machine: machine.name, bytesPerSecond: machine.bytesPerSecond },
    offers: {
      model: Object.entries(published).map(([value, one]) => ({
        value,
        label: one.label,
        title: `${one.numLayers} layers, ${one.numHeads} query heads, ${
          value === "deepseek-v3"
            ? `latents of ${latentHeads * one.headDim}, rotary keys of ${rotaryHeads * one.headDim}`
            : `${one.numKvHeads} KV heads of ${one.headDim}`
        }`,
      })),
      numHeads: [
        { value: 0, label: `${own.numHeads}, as published`, title: label },
        ...offered(counts.slice(1)),
      ],
      numKvHeads: [
        {
          value: 0,
          label: isGrouped ? `${own.numKvHeads}, as published` : `${ownKvHeads}, a quarter`,
          title: label,
        },
        ...offered(counts.slice(0, -1)),
      ],
      time: [
        ...Object.entries(estimates).map(([value, { name, bytesPerSecond }]) => ({
          value,
          label: `Estimate: ${name}`,
          title: `${bytesPerSecond / 1e9} GB/s`,
        })),
        { value: "here", label: "Measure on this device", title: "attention on the wasm device, one thread" },
      ],
    },
  };
}

const counts = [2, 4, 8, 16, 32, 64];
const offered = (list: readonly number[]) => list.map((value) => ({ value, label: String(value) }));
