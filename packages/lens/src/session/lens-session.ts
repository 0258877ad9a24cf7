import { checks, type Checks } from "@qkv/core";
import { take, tensor, type Tensor } from "@qkv/tensor";
import { decoder } from "@qkv/transformer";
import { tensorNames, type Interventions } from "@qkv/transformer/inspection";
import { logitParts } from "../decompose/logit-parts.js";
import { scoreGraph } from "../decompose/score-graph.js";
import { partsOfSides } from "../decompose/score-parts.js";
import { scoreSides } from "../decompose/score-sides.js";
import type { HeadPlace } from "../heads/head-place.js";
import { checkModel, type LensModel } from "../lens-model.js";
import { ablate } from "../patching/ablate.js";
import { attributionMap } from "../patching/attribution-patching.js";
import { logitDifference } from "../patching/metric.js";
import { patch } from "../patching/patch.js";
import { numberFrom, patchingPair } from "../patching/patching-map.js";
import { interventionsOf, runUntil, runWithTrace, until, type TracedRun } from "../run-with-trace.js";
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
  inPlace,
  layerWeights,
  type LayerWeights,
  patternScores,
  patternsIn,
  smallMaps,
  type PatternName,
} from "./head-maps.js";
import { attributionByLayer, type KeptPass } from "./attribution-by-layer.js";
import { applyLayers, beginsAnywhere, kept, lastLogits, placed, type Kept } from "./kept-stream.js";
import { largest, probabilitiesOf, predictions } from "./predictions.js";
import { watchedModel, type Watch } from "./watched-model.js";

/** Cells on a side of a small map. */
const cells = 24;
/** Weights of heads are kept up to this size: of all layers, or of the one that was asked for. Unit: numbers. */
const mostKept = 4e6;

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
  const own = decoder(model.config);
  /** The text that was run last: the stream before each layer and after the last, and weights by layer. */
  let last: { text: string; outputs: readonly Kept[]; weights: Map<number, LayerWeights> } | undefined;
  /** The source that was patched from last, by position or head. */
  let traced: (KeptPass & { source: string; by: string; logits: Kept }) | undefined;
  /** False: a pass begins at the embeddings. */
  const isFree = beginsAnywhere(model.config);

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
  const watched = (asking: Asking | undefined): LensModel => watchedModel(model, watchOf(asking));
  const watchOf = (asking: Asking | undefined): Watch => {
    const onTensor = (part: number) => {
      throwIfCancelled(asking);
      asking?.onProgress?.(part);
    };
    onTensor(0);
    return { onTensor };
  };
  /** Hooks that keep the stream before each layer and after the last. */
  const keepStream = () => {
    const stream: Kept[] = [];
    const hook = (x: Tensor): undefined => void stream.push(kept(x));
    return { stream, hooks: { embeddings: hook, output: hook } };
  };
  /** Runs the layers from the first that hooks touch on, of the text that was run, and reads logits after its last token. */
  const logitsWith = async <T>(
    text: string,
    { hooks, first }: { readonly hooks: Interventions; readonly first: number },
    asking: Asking | undefined,
    read: (logits: Tensor) => T,
  ): Promise<T> => {
    if (!isFree) {
      return read(runWithTrace(watched(asking), idsOf(text), { names: [], last: 1, hooks }).logits);
    }
    const { outputs } = await runOf(text, asking);
    const run = { first, interventions: interventionsOf(model, hooks) };
    return inScope(() => {
      const input = placed(outputs[first]!, device);
      return read(lastLogits(model, own, applyLayers(model, own, input, run, watchOf(asking))));
    });
  };
  /** Runs what returns no tensors, and frees those that it made. */
  const { device } = model.params.norm.weight;
  const inScope = <T>(f: () => T): T => device.scope(f);

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
    const areKept = model.config.numLayers * model.config.numHeads * T * T <= mostKept;
    const hooks = {
      // Read as they go by: all of them together would be the largest thing in memory.
      "attention.weights": (x: Tensor, name: string) => {
        const layer = Number(name.split(".")[1]);
        const seen = inPlace(x);
        const scores = new Map<PatternName, number[]>();
        for (const pattern of patterns) {
          throwIfCancelled(asking);
          scores.set(pattern, patternScores(pattern, seen, idList));
        }
        throwIfCancelled(asking);
        rows.push({ layer, heads: x.shape[1]!, small: smallMaps(seen, side), scores });
        if (areKept) weights.set(layer, layerWeights(seen));
        return undefined;
      },
    };
    const hasWeights = tensorNames(model.config).some((name) => name.endsWith(".attention.weights"));
    const { stream, hooks: keeps } = keepStream();
    const { logits } = runWithTrace(watched(asking), ids, {
      ...{ names: [], last: 1 },
      hooks: { ...keeps, ...(hasWeights && hooks) },
    });
    last = { text, outputs: stream, weights };
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
      next: predictions(logits.data, 10, textOf),
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
    if (!known && last?.text === text && weights.data.length <= mostKept)
      last.weights = new Map([[layer, weights]]);
    check.whole({ head }, { min: 0, max: weights.numHeads - 1, fix: "count heads from 0." });
    return { weights: headMap(weights, head) };
  }

  /** The weights of a layer, from a pass that ends there: of the text that was run, it begins at the layer. */
  function weightsAt(text: string, layer: number, asking?: Asking): LayerWeights {
    const name = `layers.${layer}.attention.weights`;
    const input = isFree && last?.text === text ? last.outputs[layer] : undefined;
    const known = tensorNames(model.config).includes(name);
    if (!input || !known) return runUntil(watched(asking), idsOf(text), name, layerWeights);
    return until((end) => {
      const interventions = { [name]: (x: Tensor): never => end(layerWeights(x)) };
      const run = { first: layer, interventions };
      inScope(() => void applyLayers(model, own, placed(input, device), run, watchOf(asking)));
    });
  }

  const scored: LensSession["scoreParts"] = async (question, asking) => {
    const names = ["text", "layer", "head", "query", "key", "pairs"] as const;
    const { text, pairs = 24, ...place } = check.options(question, names, "question");
    const { querySources, keySources, score, dot, weight, parts } = inScope(() => {
      const sides = scoreSides(check, watched(asking), idsOf(text), place, { rows: true });
      const { values, ...found } = partsOfSides(sides);
      return { ...found, parts: Array.from(values.data, Number) };
    });
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

  const graphed: LensSession["scoreGraph"] = async (question, asking) => {
    const names = ["text", "layer", "head", "query", "key", "depth", "threshold"] as const;
    const { text, depth, threshold, ...place } = check.options(question, names, "question");
    const options = { ...(depth !== undefined && { depth }), ...(threshold !== undefined && { threshold }) };
    return inScope(() => scoreGraph(watched(asking), idsOf(text), place, options));
  };

  const lens: LensSession["logitLens"] = async (question, asking) => {
    const { text, positions, top = 5 } = check.options(question, ["text", "positions", "top"], "question");
    const { outputs } = await runOf(text, asking);
    const T = outputs[0]!.shape[1]!;
    const fix = "count tokens from 0.";
    for (const position of positions) check.whole({ position }, { min: 0, max: T - 1, fix });
    const answers: LayerPrediction[] = [];
    for (const [i, output] of outputs.entries()) {
      throwIfCancelled(asking);
      const logits = inScope(() => {
        const index = tensor([...positions], { dtype: "int32", device });
        return own.logits(model.params, take(placed(output, device), 1, index)).data;
      });
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
    const found = inScope(() =>
      logitParts(watched(asking), idsOf(text), {
        ...(token !== undefined && { token }),
        ...(minus !== undefined && { minus }),
      }),
    );
    const { outputs } = await runOf(text, asking);
    const row = inScope(() => lastLogits(model, own, placed(outputs.at(-1)!, device)).data);
    const chances = probabilitiesOf(row);
    const parts = found.parts.toSorted((a, b) => Math.abs(b.value) - Math.abs(a.value));
    const chosen = { id: found.token, text: textOf(found.token), probability: chances[found.token]! };
    return { logit: found.logit, token: chosen, parts };
  };

  const ablated: LensSession["ablate"] = async (question, asking) => {
    const { text, targets, tokens = [] } = check.options(question, ["text", "targets", "tokens"], "question");
    const hooks = ablate(targets);
    const first = Math.min(...targets.map(({ layer }) => layer), model.config.numLayers);
    const row = await logitsWith(text, { hooks, first }, asking, ({ data }) => data);
    const chances = probabilitiesOf(row);
    const watchedTokens = tokens.map((id) => ({ id, text: textOf(id), probability: chances[id]! }));
    return { next: predictions(row, 10, textOf), watched: watchedTokens };
  };

  /** A pair of texts, and what is kept of a pass over the second. */
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
    if (traced?.source !== source || traced.by !== by) {
      const { stream, hooks } = keepStream();
      const heads: Record<string, Kept> = {};
      const keepHeads = (x: Tensor, name: string): undefined => void (heads[name] = kept(x));
      const keeps = { ...hooks, ...(by === "head" && { heads: keepHeads }) };
      const { logits } = runWithTrace(lastOnly, pair.ids[1], { names: [], hooks: keeps });
      traced = { source, by, stream, heads, logits: kept(logits) };
    }
    const { stream, heads, logits } = traced;
    const outputs = stream.slice(1).map((x, i) => [`layers.${i}.output`, x] as const);
    const all = { ...Object.fromEntries(outputs), ...heads };
    /** Tensors of the second text. */
    const tensorsOf = (names: readonly string[]) =>
      Object.fromEntries(
        names.flatMap((name) => (all[name] ? [[name, placed(all[name], device)] as const] : [])),
      );
    const from = (names: readonly string[]): TracedRun => ({
      logits: placed(logits, device),
      tensors: tensorsOf(names),
    });
    return { pair, model: lastOnly, from, kept: traced, text, source, metric };
  }

  const attributed: LensSession["attributionPatching"] = async (question, asking) => {
    const { pair, model: watching, from, text, source, kept, metric } = pairOf(question, asking);
    const { names, columns } = pair;
    const sourceTokens = idsOf(source).map(textOf);
    if (!isFree) {
      const map = await attributionMap(watching, pair, from(names));
      const values = Float32Array.from(await map.values.read(), Number);
      return { names, columns, values, unpatched: map.unpatched, source: map.source, sourceTokens };
    }
    const { outputs: stream } = await runOf(text, asking);
    const passes = { stream, source: kept };
    const { unpatched, changes } = attributionByLayer(model, own, pair, passes, watchOf(asking));
    const values = new Float32Array(names.length * columns).fill(NaN);
    names.forEach((name, row) =>
      values.set(
        Array.from(changes.get(name)!, (change) => unpatched + change),
        row * columns,
      ),
    );
    return {
      names,
      columns,
      values,
      unpatched,
      source: await numberFrom(metric(from([]).logits)),
      sourceTokens,
    };
  };

  const patched: LensSession["patch"] = async (question, asking) => {
    const { from, text, metric } = pairOf(question, asking);
    const { place } = question;
    const layer = Number(/^layers\.(\d+)\./.exec(place.name)?.[1] ?? 0);
    const hooks = patch(from([place.name]).tensors, [place]);
    const read = (logits: Tensor) => Number(metric(logits).data[0]);
    return logitsWith(text, { hooks, first: layer }, asking, read);
  };

  return {
    tokens: async ({ text }) => idsOf(text).map(textOf),
    run,
    head,
    logitLens: lens,
    scoreParts: scored,
    scoreGraph: graphed,
    logitParts: parted,
    ablate: ablated,
    attributionPatching: attributed,
    patch: patched,
  };
}

function throwIfCancelled(asking: Asking | undefined): void {
  if (asking?.isCancelled?.()) throw new DOMException("The question was cancelled.", "AbortError");
}

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
