import type { Cache } from "@qkv/attention-contract";
import { checks, type Checks } from "@qkv/core";
import { argmax, logSoftmax, tensorsOf, bytesPerElement, type Tensor } from "@qkv/tensor";
import { cacheFor, type DecoderConfig, type Model } from "@qkv/transformer";
import { checkModel, oneText, type LensModel, type TokenInput } from "../lens-model.js";
import { swapAttention, type AttentionSwap } from "./swap-attention.js";

/** A change of attention that is measured, with the cache that it decodes with. */
export type ComparedSwap = AttentionSwap & {
  /**
   * Makes the cache, such as `() => rollingCache({ … })`. With it, the text is read token by token, as generation reads it. Default:
   * the model's own, which reads the text at once.
   */
  readonly cache?: (config: DecoderConfig) => Cache & { readonly bytes: number };
};

/** A row of a comparison. */
export type AttentionComparison = {
  /** The name of the swap; `as trained` for the model itself. */
  readonly name: string;
  /** Mean cross-entropy of the next token. Unit: nats per token. */
  readonly loss: number;
  /** Share of positions at which the most likely token is that of the model itself, from 0 to 1. */
  readonly agreement: number;
  /** Bytes of the weights. */
  readonly weightBytes: number;
  /** Bytes of the cache after the text. */
  readonly cacheBytes: number;
  /** Time of the text on this device. Unit: ms. */
  readonly timeMs: number;
};

/**
 * Measures a model beside changes of its attention on one text: loss, agreement of the most likely tokens, bytes, time.
 *
 * @param swaps - By name. An empty object measures the model alone.
 * @param input - A text of two tokens or more, ids, or ids `[1, T]`.
 * @returns The model itself, then a row for each swap.
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
  const trained = await measured(model, list, undefined);
  const rows = [{ ...trained, name: "as trained" }];
  for (const [name, { cache, ...swap }] of Object.entries(swaps)) {
    if (cache !== undefined) check.type({ [`swaps.${name}.cache`]: cache }, "function");
    rows.push({ ...(await measured(swapAttention(model, swap), list, cache)), name });
  }
  return rows.map(({ name, loss, chosen, weightBytes, cacheBytes, timeMs }) => {
    const same = chosen.filter((id, t) => id === trained.chosen[t]).length;
    return { name, loss, agreement: same / chosen.length, weightBytes, cacheBytes, timeMs };
  });
}

/** A run over all but the last token. */
async function measured(model: LensModel, ids: readonly number[], makeCache: ComparedSwap["cache"]) {
  const { config, params } = model;
  const read = ids.slice(0, -1);
  const cache = makeCache?.(config) ?? cacheFor(config);
  const chunks = makeCache ? read.map((id) => [id]) : [read];
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
    weightBytes: bytesOf(params),
    cacheBytes: cache.bytes,
    timeMs: performance.now() - start,
  };
}

/** Bytes of weights, those of 8 and 4 bits included; a table that two maps share counts once. */
function bytesOf(params: Model["params"]): number {
  const storages = new Map<unknown, number>();
  tensorsOf(params).forEach(({ storage, dtype }: Tensor) =>
    storages.set(storage, storage.length * bytesPerElement(dtype)),
  );
  return [...storages.values()].reduce((sum, bytes) => sum + bytes, 0);
}

const check: Checks = /* @__PURE__ */ checks("compareAttention");
