import type { Cache } from "@qkv/attention-contract";
import { checks, type Checks } from "@qkv/core";
import { argmax, logSoftmax, tensorsOf, bytesPerElement, type Tensor } from "@qkv/tensor";
import { cacheFor, type DecoderConfig, type Model } from "@qkv/transformer";
import { checkModel, oneText, type LensModel, type TokenInput } from "../lens-model.js";
import { swapAttention, type AttentionSwap } from "./swap-attention.js";

/** A change of attention to measure, and a cache to decode with. */
export type ComparedSwap = AttentionSwap & {
  /**
   * Creates the cache: `() => rollingCache({ … })`. The text is then read token by token, as in generation. Default: the model's own
   * cache, and the text is read in one pass.
   */
  readonly cache?: (config: DecoderConfig) => Cache & { readonly bytes: number };
};

/** A row of a comparison. */
export type AttentionComparison = {
  /** The name of the swap; `as trained` for the model itself. */
  readonly name: string;
  /** Mean cross-entropy of the next token. Unit: nats per token. */
  readonly loss: number;
  /** Fraction of positions at which the most probable token equals that of the unchanged model, from 0 to 1. */
  readonly agreement: number;
  /** Size of the weights. Unit: bytes. */
  readonly weightBytes: number;
  /** Size of the cache after the text. Unit: bytes. */
  readonly cacheBytes: number;
  /** Time to read the text on this device. Unit: ms. */
  readonly timeMs: number;
};

/**
 * Compares a model with changes of its attention on one text: loss, agreement of the most probable tokens, sizes, time.
 *
 * @param swaps - Changes by name. An empty object measures only the model itself.
 * @param input - A text of two tokens or more, ids, or ids `[1, T]`.
 * @returns A row for the model itself, then one for each change.
 * @throws {ArgumentError} If the text has fewer than two tokens, or a swap does not fit the model.
 *
 * @example
 * ```ts
 * import { slidingWindow } from "@qkv/attention";
 * import { decoder } from "@qkv/transformer";
 * import { compareAttention } from "@qkv/lens";
 *
 * const config = {
 *   vocabSize: 11, embedDim: 8, hiddenDim: 16, numLayers: 1, numHeads: 2, numKvHeads: 2,
 *   contextLength: 32, normEps: 1e-5, stopIds: [],
 * };
 * const { init, apply } = decoder(config);
 * const model = { config, params: init(1), apply };
 * const rows = await compareAttention(model, { window: { mask: slidingWindow(2) } }, [3, 1, 4, 1]);
 * rows.map(({ name }) => name); // => ["as trained", "window"]
 * rows[0]!.agreement; // => 1
 * ```
 */
export async function compareAttention(
  model: LensModel,
  swaps: Readonly<Record<string, ComparedSwap>>,
  input: TokenInput,
): Promise<AttentionComparison[]> {
  checkModel(check, model);
  const isObject = (value: unknown) => typeof value === "object" && value !== null && !Array.isArray(value);
  check.each({ swaps }, isObject, "changes of attention by name");
  check.each(swaps, isObject, "a change: { mask, numKvHeads, quantize, cache }");
  const { ids, length } = oneText(check, model, input);
  check.each({ input: `${length} tokens` }, () => length >= 2, "two tokens or more", "give a longer text.");
  const list = [...("shape" in ids ? ids.data : ids)].map(Number);
  const trained = await measureModel(model, list, undefined);
  const rows = [{ ...trained, name: "as trained" }];
  for (const [name, { cache, ...swap }] of Object.entries(swaps)) {
    if (cache !== undefined) check.type({ [`swaps.${name}.cache`]: cache }, "function");
    rows.push({ ...(await measureModel(swapAttention(model, swap), list, cache)), name });
  }
  return rows.map(({ name, loss, chosen, weightBytes, cacheBytes, timeMs }) => {
    const same = chosen.filter((id, t) => id === trained.chosen[t]).length;
    return { name, loss, agreement: same / chosen.length, weightBytes, cacheBytes, timeMs };
  });
}

/** Reads all but the last token, and measures the loss of the next ones. */
async function measureModel(model: LensModel, ids: readonly number[], makeCache: ComparedSwap["cache"]) {
  const { config, params } = model;
  const inputIds = ids.slice(0, -1);
  const cache = makeCache?.(config) ?? cacheFor(config);
  const chunks = makeCache ? inputIds.map((id) => [id]) : [inputIds];
  const [chosen, losses]: [number[], number[]] = [[], []];
  const start = performance.now();
  for (const chunk of chunks) {
    const logits = model.apply(params, chunk, config.bidirectional ? {} : { cache });
    const best = await argmax(logits, { axis: -1 }).read();
    const logProbabilities = await logSoftmax(logits).read();
    const V = config.vocabSize;
    chunk.forEach((_, t) => {
      losses.push(-logProbabilities[t * V + ids[chosen.length + 1]!]!);
      chosen.push(best[t]!);
    });
  }
  return {
    loss: losses.reduce((sum, x) => sum + x, 0) / losses.length,
    chosen,
    weightBytes: countBytes(params),
    cacheBytes: cache.bytes,
    timeMs: performance.now() - start,
  };
}

/** Size of all weights, quantized ones included; tied weights count once. Unit: bytes. */
function countBytes(params: Model["params"]): number {
  const storages = new Map<unknown, number>();
  tensorsOf(params).forEach(({ storage, dtype }: Tensor) =>
    storages.set(storage, storage.length * bytesPerElement(dtype)),
  );
  return [...storages.values()].reduce((sum, bytes) => sum + bytes, 0);
}

const check: Checks = /* @__PURE__ */ checks("compareAttention");
