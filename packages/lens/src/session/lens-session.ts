import { checks, type Checks } from "@qkv/core";
import { slice, take, tensor, type Tensor } from "@qkv/tensor";
import { decoder } from "@qkv/transformer";
import { tensorNames } from "@qkv/transformer/inspection";
import { logitParts } from "../decompose/logit-parts.js";
import { scoreParts } from "../decompose/score-parts.js";
import type { HeadPlace } from "../heads/head-place.js";
import { checkModel, type LensModel } from "../lens-model.js";
import { ablate } from "../patching/ablate.js";
import { attributionMap } from "../patching/attribution-patching.js";
import { logitDifference } from "../patching/metric.js";
import { patch } from "../patching/patch.js";
import { numberFrom, patchingPair } from "../patching/patching-map.js";
import { runWithTrace, type TracedRun, type TraceNames } from "../run-with-trace.js";
import type {
  Asking,
  HeadAnswer,
  LayerPrediction,
  LensSession,
  LensSessionRun,
  PatchQuestion,
} from "./answers.js";
import {
  headMap,
  layerWeights,
  type LayerWeights,
  patternScores,
  patternsIn,
  smallMaps,
  type PatternName,
} from "./head-maps.js";
import { largest, probabilitiesOf, predictions, type Prediction } from "./predictions.js";
import { watchedModel } from "./watched-model.js";

/** Cells on a side of a small map. */
const cells = 24;
/** Weights of all heads are kept up to this size. Unit: numbers. */
const mostKept = 8e6;

/**
 * Opens a session: one model that answers questions about texts, one after the other, with plain data that can be posted to another
 * thread. Of the text that was run last it keeps the residual stream, so that most answers need one pass or less.
 *
 * A question ends early when `isCancelled` says so, with an `AbortError`: within a tensor of the pass, forward or backward.
 *
 * @param model - A decoder with its tokenizer, as `load` gives it, on a device whose numbers the program can reach (`js`, `wasm`).
 * @throws {ArgumentError} If the model is no decoder, or has no tokenizer.
 *
 * @example
 * ```ts
 * import { lensSession } from "@qkv/lens/session";
 * import { modelTiny } from "@qkv/model-tiny";
 * import { load } from "@qkv/transformer";
 *
 * const session = lensSession(await load(await modelTiny()));
 * const text = "The cat sat on the";
 * const { tokens, next } = await session.run({ text });
 * tokens; // => ["The", " cat", " sat", " on", " the"]
 * const without = await session.ablate({ text, targets: [{ layer: 0, part: "feedForward" }] });
 * next[0]!.text === without.next[0]!.text; // => false
 * ```
 */
export function lensSession(model: LensModel): LensSession {
  checkModel(check, model);
  const tokenizer = model.tokenizer ?? refuseWithout();
  const unembed = decoder(model.config);
  /** The text that was run last. */
  let last: { text: string; outputs: Tensor[]; weights: Map<number, LayerWeights> } | undefined;
  /** The source that was patched from last. */
  let traced: { source: string; names: string; run: TracedRun } | undefined;

  const textOf = (id: number): string => {
    // Vocabularies are padded: some rows of the output embedding are no token's.
    if (tokenizer.token(id) === undefined) return `[${id}]`;
    const text = tokenizer.decode([id], { skipSpecialTokens: false });
    return text.includes("\u{fffd}") ? (tokenizer.token(id) ?? text) : text;
  };
  const idsOf = (text: string): number[] => {
    check.type({ text }, "string");
    const ids = Array.from(tokenizer.encode(text, { addSpecialTokens: false }));
    check.each({ text }, () => ids.length > 0, "a text of one token or more", "give some text.");
    const most = model.config.contextLength;
    const received = { text: `${ids.length} tokens` };
    check.each(received, () => ids.length <= most, `${most} tokens or fewer`, "give a shorter text.");
    return ids;
  };
  /** The model, watched for one question. */
  const watched = (asking: Asking | undefined): LensModel => {
    const onTensor = (part: number) => {
      throwIfCancelled(asking);
      asking?.onProgress?.(part);
    };
    onTensor(0);
    return watchedModel(model, { onTensor });
  };
  const nextOf = async (logits: Tensor, count = 10): Promise<Prediction[]> =>
    predictions(await logits.read(), count, textOf);

  async function run(question: { readonly text: string }, asking?: Asking): Promise<LensSessionRun> {
    const { text } = check.options(question, ["text"], "question");
    const ids = idsOf(text);
    const T = ids.length;
    const idList = Int32Array.from(ids);
    const patterns = patternsIn(idList);
    const rows: { layer: number; heads: number; small: Float32Array; scores: Map<PatternName, number[]> }[] =
      [];
    const side = Math.min(cells, T);
    const weights = new Map<number, LayerWeights>();
    const keeps = model.config.numLayers * model.config.numHeads * T * T <= mostKept;
    const hooks = {
      // Read as they go by: all of them together would be the largest thing in memory.
      "attention.weights": (x: Tensor, name: string) => {
        const layer = Number(name.split(".")[1]);
        const scores = new Map<PatternName, number[]>();
        for (const pattern of patterns) {
          throwIfCancelled(asking);
          scores.set(pattern, patternScores(pattern, x, idList));
        }
        throwIfCancelled(asking);
        rows.push({ layer, heads: x.shape[1]!, small: smallMaps(x, side), scores });
        if (keeps) weights.set(layer, layerWeights(x));
        return undefined;
      },
    };
    const hasWeights = tensorNames(model.config).some((name) => name.endsWith(".attention.weights"));
    const { logits, tensors } = runWithTrace(watched(asking), ids, {
      names: ["embeddings", "output"],
      last: 1,
      ...(hasWeights && { hooks }),
    });
    const outputs = Array.from({ length: model.config.numLayers }, (_, i) => tensors[`layers.${i}.output`]!);
    last = { text, outputs: [tensors["embeddings"]!, ...outputs], weights };
    const numHeads = Math.max(0, ...rows.map(({ heads }) => heads));
    const maps = new Float32Array(rows.length * numHeads * side * side);
    rows.forEach(({ small }, row) => maps.set(small, row * numHeads * side * side));
    const scores = Object.fromEntries(
      patterns.map((pattern) => [
        pattern,
        Float32Array.from(
          rows.flatMap((row) =>
            Array.from({ length: numHeads }, (_, h) => row.scores.get(pattern)![h] ?? NaN),
          ),
        ),
      ]),
    );
    return {
      ids,
      tokens: ids.map(textOf),
      numLayers: model.config.numLayers,
      layers: rows.map(({ layer }) => layer),
      numHeads,
      scores,
      maps,
      cells: side,
      next: await nextOf(logits),
    };
  }

  /** The text that was run last, which is run if it was another one. */
  async function runOf(text: string, asking?: Asking) {
    if (last?.text !== text) await run({ text }, asking);
    return last!;
  }

  async function head(question: HeadPlace & { readonly text: string }, asking?: Asking): Promise<HeadAnswer> {
    const { text, layer, head } = check.options(question, ["text", "layer", "head"], "question");
    const known = last?.text === text ? last.weights.get(layer) : undefined;
    const weights = known ?? weightsAt(text, layer, asking);
    if (!known && last?.text === text) last.weights = new Map([[layer, weights]]);
    check.whole({ head }, { min: 0, max: weights.numHeads - 1, fix: "count heads from 0." });
    return { weights: headMap(weights, head) };
  }

  /** The weights of a layer, from a pass that ends there. */
  function weightsAt(text: string, layer: number, asking?: Asking): LayerWeights {
    const name = `layers.${layer}.attention.weights`;
    let found: LayerWeights | undefined;
    const hooks = {
      [name](x: Tensor): never {
        found = layerWeights(x);
        throw new EndOfPass();
      },
    };
    try {
      runWithTrace(watched(asking), idsOf(text), { names: [], last: 1, hooks });
    } catch (error) {
      if (!(error instanceof EndOfPass)) throw error;
    }
    return (
      found ??
      check.refuse({
        argument: "layer",
        received: layer,
        expected: "a layer that attends",
        fix: "choose another.",
      })
    );
  }

  const scored: LensSession["scoreParts"] = async (question, asking) => {
    const names = ["text", "layer", "head", "query", "key", "pairs"] as const;
    const { text, pairs = 24, ...place } = check.options(question, names, "question");
    const { querySources, keySources, values, score, dot, weight } = scoreParts(
      { ...watched(asking) },
      idsOf(text),
      place,
    );
    const parts = Array.from(await values.read(), Number);
    const order = largest(parts, pairs);
    const width = keySources.length;
    return {
      ...{ score, dot, weight },
      pairs: order.map((i) => ({
        query: querySources[Math.floor(i / width)]!,
        key: keySources[i % width]!,
        value: parts[i]!,
      })),
      rest: dot - order.reduce((sum, i) => sum + parts[i]!, 0),
    };
  };

  const lens: LensSession["logitLens"] = async (question, asking) => {
    const { text, positions, top = 5 } = check.options(question, ["text", "positions", "top"], "question");
    const { outputs } = await runOf(text, asking);
    const T = outputs[0]!.shape[1]!;
    const fix = "count tokens from 0.";
    for (const position of positions) check.whole({ position }, { min: 0, max: T - 1, fix });
    const index = tensor([...positions], { dtype: "int32", device: outputs[0]!.device });
    const answers: LayerPrediction[] = [];
    for (const [i, output] of outputs.entries()) {
      throwIfCancelled(asking);
      const logits = await unembed.logits(model.params, take(output, 1, index)).read();
      const V = logits.length / positions.length;
      positions.forEach((position, p) =>
        answers.push({
          layer: i - 1,
          position,
          top: predictions(logits.subarray(p * V, (p + 1) * V), top, textOf),
        }),
      );
      asking?.onProgress?.((i + 1) / outputs.length);
    }
    return answers;
  };

  const parted: LensSession["logitParts"] = async (question, asking) => {
    const { text, token, minus } = check.options(question, ["text", "token", "minus"], "question");
    const found = logitParts(watched(asking), idsOf(text), {
      ...(token !== undefined && { token }),
      ...(minus !== undefined && { minus }),
    });
    const { outputs } = await runOf(text, asking);
    const end = outputs.at(-1)!;
    const row = slice(end, 1, end.shape[1]! - 1, end.shape[1]!);
    const chances = probabilitiesOf(await unembed.logits(model.params, row).read());
    const parts = found.parts.toSorted((a, b) => Math.abs(b.value) - Math.abs(a.value));
    const chosen = { id: found.token, text: textOf(found.token), probability: chances[found.token]! };
    return { logit: found.logit, token: chosen, parts };
  };

  const ablated: LensSession["ablate"] = async (question, asking) => {
    const { text, targets, tokens = [] } = check.options(question, ["text", "targets", "tokens"], "question");
    const { logits } = runWithTrace(watched(asking), idsOf(text), {
      ...{ names: [], last: 1 },
      hooks: ablate(targets),
    });
    const row = await logits.read();
    const chances = probabilitiesOf(row);
    const watchedTokens = tokens.map((id) => ({ id, text: textOf(id), probability: chances[id]! }));
    return { next: predictions(row, 10, textOf), watched: watchedTokens };
  };

  /** A pair of texts, with the traced run of the second, which is kept. */
  function pairOf(question: PatchQuestion, asking: Asking | undefined) {
    const names = ["text", "source", "token", "minus", "by", "place"] as never;
    const { text, source, token, minus, by = "position" } = check.options(question, names, "question");
    const metric = logitDifference({ token, ...(minus !== undefined && { minus }) });
    // Tensors of heads are patched by head, those of the stream by position.
    const asked = { metric, by, names: [by === "head" ? "heads" : "output"] as never };
    const watching = watched(asking);
    const lastOnly: LensModel = {
      ...watching,
      apply: (params, ids, options) => watching.apply(params, ids, { ...options, last: 1 }),
    };
    const pair = patchingPair(check, lastOnly, idsOf(text), idsOf(source), asked);
    const key = pair.names.join();
    if (traced?.source !== source || traced.names !== key) {
      const run = runWithTrace(lastOnly, pair.ids[1], { names: pair.names as TraceNames });
      traced = { source, names: key, run };
    }
    return { pair, model: lastOnly, from: traced.run, source, metric };
  }

  const attributed: LensSession["attributionPatching"] = async (question, asking) => {
    const { pair, model: watching, from, source } = pairOf(question, asking);
    const map = await attributionMap(watching, pair, from);
    return {
      ...{ names: map.names, columns: pair.columns, unpatched: map.unpatched, source: map.source },
      values: Float32Array.from(await map.values.read(), Number),
      sourceTokens: idsOf(source).map(textOf),
    };
  };

  const patched: LensSession["patch"] = async (question, asking) => {
    const { pair, model: watching, from, metric } = pairOf(question, asking);
    const hooks = patch(from.tensors, [question.place]);
    return numberFrom(metric(runWithTrace(watching, pair.ids[0], { names: [], hooks }).logits));
  };

  return {
    tokens: async ({ text }) => idsOf(text).map(textOf),
    run,
    head,
    logitLens: lens,
    scoreParts: scored,
    logitParts: parted,
    ablate: ablated,
    attributionPatching: attributed,
    patch: patched,
  };
}

function throwIfCancelled(asking: Asking | undefined): void {
  if (asking?.isCancelled?.()) throw new DOMException("The question was cancelled.", "AbortError");
}

/** Ends a pass whose rest is not needed. */
class EndOfPass extends Error {}

function refuseWithout(): never {
  const expected = "a model with its tokenizer";
  return check.refuse({
    argument: "model",
    received: "one without a tokenizer",
    expected,
    fix: "load its folder.",
  });
}

const check: Checks = /* @__PURE__ */ checks("lensSession");
