import { checks, type Checks } from "@qkv/core";
import { slice, take, tensor, type Tensor } from "@qkv/tensor";
import { decoder } from "@qkv/transformer";
import { tensorNames, type Interventions } from "@qkv/transformer/inspection";
import { logitNames, splitLogit } from "../decompose/logit-parts.js";
import { graphOfScore } from "../decompose/score-graph.js";
import { partsOfSides } from "../decompose/score-parts.js";
import { scoreSides } from "../decompose/score-sides.js";
import { copiedTokens } from "../heads/circuits.js";
import { checkModel, type LensModel } from "../lens-model.js";
import { ablate, type AblationTarget } from "../patching/ablate.js";
import { ablatedModel, type AblatedModel } from "../patching/ablated-model.js";
import { attributionMap } from "../patching/attribution-patching.js";
import { logitDifference, type Metric } from "../patching/metric.js";
import { patch } from "../patching/patch.js";
import { positionAxis } from "../patching/slices.js";
import { numberFrom, patchingPair } from "../patching/patching-map.js";
import {
  interventionsOf,
  runUntil,
  runWithTrace,
  until,
  type Hooks,
  type TracedRun,
} from "../run-with-trace.js";
import type { Asking, LayerPrediction, LensSession, PatchQuestion, TextQuestion } from "./answers.js";
import {
  headMap,
  inductionKeys,
  copiedWeights,
  inPlace,
  type LayerWeights,
  patternScores,
  patternsIn,
  smallMaps,
  uniformScores,
  weightsInPlace,
  type PatternName,
} from "./head-maps.js";
import { attributionByLayer, type KeptPass } from "./attribution-by-layer.js";
import { applyLayers, beginsAnywhere, kept, lastLogits, placed, type Kept } from "./kept-stream.js";
import { largest, type Prediction, probabilitiesOf, predictions, rankOf } from "./predictions.js";
import { repeatedTokens } from "./repeated-tokens.js";
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
  /** The text that was run last, and the run of it with parts of the model ablated. */
  let [plain, changed]: (KeptRun | undefined)[] = [];
  /** The source that was patched from last, by position or head. */
  let traced: (KeptPass & { of: string; logits: Kept }) | undefined;
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
  const ablated = (targets: readonly AblationTarget[] = []): AblatedModel => {
    const [max, fix] = [model.config.numLayers - 1, "count layers from 0."];
    for (const { layer } of targets) check.whole({ "without.layer": layer }, { min: 0, max, fix });
    return ablatedModel(model, targets);
  };
  /** The model without some parts, watched for one question. */
  const watched = (asking: Asking | undefined, without?: readonly AblationTarget[]): AblatedModel =>
    watchedModel(ablated(without), watchOf(asking));
  const watchOf = (asking: Asking | undefined): Watch => {
    const onTensor = (part: number) => {
      throwIfCancelled(asking);
      asking?.onProgress?.(part);
    };
    onTensor(0);
    return { onTensor };
  };
  /** Hooks that keep the stream before each layer and after the last. */
  const keepStream = (stream: Kept[] = []) => {
    const hook = (x: Tensor): undefined => void stream.push(kept(x));
    return { stream, hooks: { embeddings: hook, output: hook } };
  };
  /** Runs the layers from the first that hooks touch on, of the text that was run, and reads logits after its last token. */
  const logitsWith = async <T>(
    { text, without }: TextQuestion,
    { hooks, first }: { readonly hooks: Interventions; readonly first: number },
    asking: Asking | undefined,
    read: (logits: Tensor) => T,
  ): Promise<T> => {
    const altered = watched(asking, without);
    if (!isFree) return read(runWithTrace(altered, idsOf(text), { names: [], last: 1, hooks }).logits);
    const { stream } = await runOf({ text, ...(without && { without }) }, asking);
    const run = { first, interventions: interventionsOf(model, hooks) };
    return inScope(() => {
      const input = placed(stream[first]!, device);
      return read(lastLogits(model, own, applyLayers(altered, own, input, run, watchOf(asking))));
    });
  };
  /** Runs what returns no tensors, and frees those that it made. */
  const { device } = model.params.norm.weight;
  const inScope = <T>(f: () => T): T => device.scope(f);

  const run: LensSession["run"] = async (question, asking) => {
    const {
      text,
      without = [],
      tokens = [],
    } = check.options(question, ["text", "without", "tokens"], "question");
    const { ids, heads, row } = await newRun({ text, without }, asking);
    const numHeads = Math.max(0, ...heads.map(({ numHeads }) => numHeads));
    const side = Math.min(cells, ids.length);
    const maps = new Float32Array(heads.length * numHeads * side * side);
    heads.forEach(({ small }, i) => maps.set(small, i * numHeads * side * side));
    const scoresOf = (pattern: PatternName) =>
      Float32Array.from(
        heads.flatMap(({ scores }) =>
          Array.from({ length: numHeads }, (_, h) => scores.get(pattern)![h] ?? NaN),
        ),
      );
    const idList = Int32Array.from(ids);
    const patterns = patternsIn(idList);
    return {
      ids,
      tokens: ids.map(textOf),
      numLayers: model.config.numLayers,
      layers: heads.map(({ layer }) => layer),
      numHeads,
      scores: Object.fromEntries(patterns.map((pattern) => [pattern, scoresOf(pattern)])),
      uniform: uniformScores(patterns, idList),
      maps,
      cells: side,
      next: predictions(row, 10, textOf),
      watched: chosen(row, tokens),
    };
  };

  /** Tokens with their probabilities. */
  function chosen(
    row: ArrayLike<number>,
    tokens: readonly number[],
    chances = probabilitiesOf(row),
  ): Prediction[] {
    for (const token of tokens)
      check.whole({ token }, { min: 0, max: chances.length - 1, fix: "give a token id." });
    return tokens.map((id) => ({ id, text: textOf(id), probability: chances[id]! }));
  }

  /** Runs a text, and keeps what answers about it begin with. Without some parts, the pass begins at the first of them. */
  async function newRun({ text, without = [] }: TextQuestion, asking?: Asking): Promise<KeptRun> {
    const ids = idsOf(text);
    const altered = watched(asking, without);
    const first = altered.ablated?.first;
    const base = first !== undefined && isFree ? await runOf({ text }, asking) : undefined;
    const below = base ? first! : 0;
    const heads = base ? base.heads.filter(({ layer }) => layer < below) : [];
    const weights = new Map(base && [...base.weights].filter(([layer]) => layer < below));
    const rows: Record<string, Kept> = { ...base?.rows };
    const { stream, hooks: keeps } = keepStream(base?.stream.slice(0, below + 1));
    const side = Math.min(cells, ids.length);
    const areKept = model.config.numLayers * model.config.numHeads * ids.length ** 2 <= mostKept;
    const patterns = patternsIn(Int32Array.from(ids));
    const keepRow = (x: Tensor, name: string): undefined => {
      const axis = positionAxis(name);
      rows[name] = kept(slice(x, axis, x.shape[axis]! - 1, x.shape[axis]!));
    };
    // Read as they go by: all of them together would be the largest thing in memory.
    const readWeights = (x: Tensor, name: string): undefined => {
      const layer = Number(name.split(".")[1]);
      const seen = inPlace(x);
      const scores = new Map<PatternName, number[]>();
      for (const pattern of patterns) {
        throwIfCancelled(asking);
        scores.set(pattern, patternScores(pattern, seen, Int32Array.from(ids)));
      }
      throwIfCancelled(asking);
      heads.push({ layer, numHeads: x.shape[1]!, small: smallMaps(seen, side), scores });
      if (areKept) weights.set(layer, copiedWeights(weightsInPlace(seen)));
    };
    const names = tensorNames(model.config);
    const hasWeights = names.some((name) => name.endsWith(".attention.weights"));
    const hooks: Hooks = {
      ...Object.fromEntries(logitNames(model).map((name) => [name, keepRow])),
      output: keeps.output,
      embeddings: (x, name) => keepRow(x, name) ?? keeps.embeddings(x),
      ...(hasWeights && { "attention.weights": readWeights }),
    };
    let row: Kept;
    if (base) {
      const run = { first: below, interventions: interventionsOf(model, hooks) };
      row = inScope(() => {
        const input = placed(base.stream[below]!, device);
        return kept(lastLogits(model, own, applyLayers(altered, own, input, run, watchOf(asking))));
      });
      rows["finalInput"] = inScope(() => {
        const end = placed(stream.at(-1)!, device);
        return kept(slice(end, 1, ids.length - 1, ids.length));
      });
    } else row = kept(runWithTrace(altered, ids, { names: [], last: 1, hooks }).logits);
    const made = { of: nameOf(text, without), ids, stream, rows, heads, weights, row: row.data };
    if (without.length === 0) [plain, changed] = [made, undefined];
    else changed = made;
    return made;
  }

  /** The run that is kept of a question, or a new one. */
  async function runOf(question: TextQuestion, asking?: Asking): Promise<KeptRun> {
    return keptRun(question) ?? (await newRun(question, asking));
  }

  function keptRun({ text, without = [] }: TextQuestion): KeptRun | undefined {
    const one = without.length === 0 ? plain : changed;
    return one?.of === nameOf(text, without) ? one : undefined;
  }

  const head: LensSession["head"] = async (question, asking) => {
    const names = ["text", "without", "layer", "head"] as const;
    const { layer, head, ...about } = check.options(question, names, "question");
    const one = keptRun(about);
    const read = (weights: LayerWeights) => ({
      numHeads: weights.numHeads,
      weights: headMap(weights, head),
    });
    const known = one?.weights.get(layer);
    const readNew = (weights: LayerWeights) => {
      if (one && weights.data.length <= mostKept) one.weights = new Map([[layer, copiedWeights(weights)]]);
      return read(weights);
    };
    const { numHeads, weights } = known ? read(known) : weightsAt(about, layer, readNew, asking);
    check.whole({ head }, { min: 0, max: numHeads - 1, fix: "count heads from 0." });
    return { weights };
  };

  /** Reads the weights of a layer in a pass that ends there: of a run that is kept, it begins at the layer. */
  function weightsAt<T>(
    question: TextQuestion,
    layer: number,
    read: (weights: LayerWeights) => T,
    asking?: Asking,
  ): T {
    const name = `layers.${layer}.attention.weights`;
    const readHere = (x: Tensor) => read(weightsInPlace(x));
    const altered = watched(asking, question.without);
    const input = isFree ? keptRun(question)?.stream[layer] : undefined;
    const known = tensorNames(model.config).includes(name);
    if (!input || !known) return runUntil(altered, idsOf(question.text), name, readHere);
    return until((end) => {
      const interventions = { [name]: (x: Tensor): never => end(readHere(x)) };
      const run = { first: layer, interventions };
      inScope(() => void applyLayers(altered, own, placed(input, device), run, watchOf(asking)));
    });
  }

  const copied: LensSession["copying"] = async (question, asking) => {
    const names = ["text", "without", "heads", "positions"] as const;
    const { heads, positions: most = 8, ...about } = check.options(question, names, "question");
    const { stream, ids } = await runOf(about, asking);
    const positions = inductionKeys(ids).slice(0, most);
    const tokens = positions.map((position) => ids[position]!);
    const counts: number[] = [];
    for (const { layer, head } of tokens.length === 0 ? [] : heads) {
      throwIfCancelled(asking);
      const count = inScope(() => {
        const index = tensor(positions, { dtype: "int32", device });
        // Layers that read more than the stream before them are tried on embeddings.
        const rows = isFree ? take(placed(stream[layer]!, device), 1, index) : undefined;
        return copiedTokens(check, model, { layer, head, tokens, topK: 5 }, rows);
      });
      counts.push(count);
      asking?.onProgress?.(counts.length / heads.length);
    }
    return { positions, copied: counts };
  };

  const repeated: LensSession["repeatedTokens"] = async (question) => {
    const { length = 20, seed } = check.options(question, ["length", "seed"], "question");
    check.whole({ length }, { min: 1, max: Math.floor(model.config.contextLength / 2) - 1 });
    return repeatedTokens(check, tokenizer, { vocabSize: model.config.vocabSize, length, seed });
  };

  const scored: LensSession["scoreParts"] = async (question, asking) => {
    const names = ["text", "without", "layer", "head", "query", "key", "pairs"] as const;
    const { text, without, pairs = 24, ...place } = check.options(question, names, "question");
    const { querySources, keySources, score, dot, weight, parts } = inScope(() => {
      const sides = scoreSides(check, watched(asking, without), idsOf(text), place, { ownMask: true });
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
    const names = ["text", "without", "layer", "head", "query", "key", "depth", "threshold", "pair"] as const;
    const { text, without, depth, threshold, pair, ...place } = check.options(question, names, "question");
    const options = {
      ...(depth !== undefined && { depth }),
      ...(threshold !== undefined && { threshold }),
      ...(pair && { pair }),
    };
    return inScope(() =>
      graphOfScore(watched(asking, without), idsOf(text), place, options, {
        ownMask: true,
        onSource: () => throwIfCancelled(asking),
      }),
    );
  };

  const lens: LensSession["logitLens"] = async (question, asking) => {
    const names = ["text", "without", "positions", "top", "tokens"] as const;
    const { positions, top = 5, tokens = [], ...about } = check.options(question, names, "question");
    const { stream, ids } = await runOf(about, asking);
    const fix = "count tokens from 0.";
    check.list({ positions }, "whole numbers", Number.isSafeInteger, fix);
    for (const position of positions) check.whole({ position }, { min: 0, max: ids.length - 1, fix });
    const answers: LayerPrediction[] = [];
    for (const [i, output] of stream.entries()) {
      throwIfCancelled(asking);
      const logits = inScope(() => {
        const index = tensor([...positions], { dtype: "int32", device });
        return own.logits(model.params, take(placed(output, device), 1, index)).data;
      });
      const V = logits.length / positions.length;
      positions.forEach((position, p) => {
        const row = logits.subarray(p * V, (p + 1) * V);
        const chances = probabilitiesOf(row);
        const watched = chosen(row, tokens, chances).map((one) => ({ ...one, rank: rankOf(row, one.id) }));
        answers.push({ layer: i - 1, position, top: predictions(row, top, textOf, chances), watched });
      });
      asking?.onProgress?.((i + 1) / stream.length);
    }
    return answers;
  };

  const parted: LensSession["logitParts"] = async (question, asking) => {
    const names = ["text", "without", "token", "minus"] as const;
    const { token, minus, ...about } = check.options(question, names, "question");
    const { row, rows, ids } = await runOf(about, asking);
    const found = inScope(() => {
      const places = Object.entries(rows).map(([name, x]) => [name, placed(x, device)] as const);
      const run = { row, tensors: Object.fromEntries(places), position: ids.length - 1 };
      return splitLogit(ablated(about.without), run, {
        ...(token !== undefined && { token }),
        ...(minus !== undefined && { minus }),
      });
    });
    const parts = found.parts.toSorted((a, b) => Math.abs(b.value) - Math.abs(a.value));
    const [one, other] = chosen(row, [found.token, ...(minus === undefined ? [] : [minus])]);
    return { logit: found.logit, token: one!, minus: other, parts };
  };

  const ablation: LensSession["ablate"] = async (question, asking) => {
    const { text, targets, tokens = [] } = check.options(question, ["text", "targets", "tokens"], "question");
    const hooks = ablate(targets);
    const first = Math.min(...targets.map(({ layer }) => layer), model.config.numLayers);
    const row = await logitsWith({ text }, { hooks, first }, asking, ({ data }) => data);
    return { next: predictions(row, 10, textOf), watched: chosen(row, tokens) };
  };

  /** A pair of texts, and what is kept of a pass over the second. */
  async function pairOf(question: PatchQuestion, asking: Asking | undefined) {
    const names = ["text", "without", "source", "token", "minus", "by", "place"] as never;
    const { source, by = "position", token, minus, ...about } = check.options(question, names, "question");
    const { text, without = [] } = about;
    const watching = watched(asking, without);
    const lastOnly: AblatedModel = {
      ...watching,
      apply: (params, ids, options) => watching.apply(params, ids, { ...options, last: 1 }),
    };
    let measure: { readonly token: number; readonly minus?: number };
    const metric: Metric = (logits) => logitDifference(measure)(logits);
    // Tensors of heads are patched by head, those of the stream by position.
    const asked = { metric, by, names: [by === "head" ? "heads" : "output"] as never };
    const pair = patchingPair(check, lastOnly, idsOf(text), idsOf(source), asked);
    const of = `${nameOf(source, without)} ${by}`;
    if (traced?.of !== of) {
      const { stream, hooks } = keepStream();
      const heads: Record<string, Kept> = {};
      const keepHeads = (x: Tensor, name: string): undefined => void (heads[name] = kept(x));
      const keeps = { ...hooks, ...(by === "head" && { heads: keepHeads }) };
      const { logits } = runWithTrace(lastOnly, pair.ids[1], { names: [], hooks: keeps });
      traced = { of, stream, heads, logits: kept(logits) };
    }
    const { stream, heads, logits } = traced;
    const sourceNext = predictions(logits.data, 10, textOf);
    if (token === undefined) {
      const { row } = await runOf(about, asking);
      measure = likeliestPair(predictions(row, 10, textOf), sourceNext, (id) => row[id]! - logits.data[id]!);
    } else measure = { token, ...(minus !== undefined && { minus }) };
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
    return { pair, model: lastOnly, from, kept: traced, about, source, metric, measure, sourceNext };
  }

  const attributed: LensSession["attributionPatching"] = async (question, asking) => {
    const { pair, model: altered, from, about, source, kept, ...measured } = await pairOf(question, asking);
    const { metric, measure, sourceNext } = measured;
    const { names, columns } = pair;
    const [token, minus] = chosen(kept.logits.data, Object.values(measure));
    const told = {
      names,
      columns,
      sourceTokens: idsOf(source).map(textOf),
      sourceNext,
      token: token!,
      minus,
    };
    if (!isFree) {
      const map = await attributionMap(altered, pair, from(names));
      const values = Float32Array.from(await map.values.read(), Number);
      return { ...told, values, unpatched: map.unpatched, source: map.source };
    }
    const { stream } = await runOf(about, asking);
    const passes = { stream, source: kept };
    const { unpatched, changes } = attributionByLayer(altered, own, pair, passes, watchOf(asking));
    const values = new Float32Array(names.length * columns).fill(NaN);
    names.forEach((name, row) =>
      values.set(
        Array.from(changes.get(name)!, (change) => unpatched + change),
        row * columns,
      ),
    );
    return { ...told, values, unpatched, source: await numberFrom(metric(from([]).logits)) };
  };

  const patched: LensSession["patch"] = async (question, asking) => {
    const { from, about, metric } = await pairOf(question, asking);
    const { place } = question;
    const layer = Number(/^layers\.(\d+)\./.exec(place.name)?.[1] ?? 0);
    const hooks = patch(from([place.name]).tensors, [place]);
    const read = (logits: Tensor) => Number(metric(logits).data[0]);
    return logitsWith(about, { hooks, first: layer }, asking, read);
  };

  return {
    tokens: async (question) => idsOf(check.options(question, ["text"], "question").text).map(textOf),
    run,
    head,
    copying: copied,
    repeatedTokens: repeated,
    logitLens: lens,
    scoreParts: scored,
    scoreGraph: graphed,
    logitParts: parted,
    ablate: ablation,
    attributionPatching: attributed,
    patch: patched,
  };
}

/**
 * The tokens that a patch is measured by: the likeliest of each text. Where both have the same one, the two whose logits the texts
 * move apart most, among the likeliest.
 *
 * @param fall - By how much the logit of a token is lower in the source.
 */
function likeliestPair(
  own: readonly Prediction[],
  source: readonly Prediction[],
  fall: (id: number) => number,
): { readonly token: number; readonly minus?: number } {
  const [first, second] = own;
  if (source[0]!.id !== first!.id) return { token: first!.id, minus: source[0]!.id };
  const ids = [...new Set([...own, ...source].map(({ id }) => id))].toSorted((a, b) => fall(b) - fall(a));
  // Of two texts alike no logit moves.
  if (second === undefined || fall(ids[0]!) === fall(ids.at(-1)!))
    return { token: first!.id, ...(second && { minus: second.id }) };
  return { token: ids[0]!, minus: ids.at(-1)! };
}

/** The parts of a run that answers begin with. */
type KeptRun = {
  /** Text and what it was run without. */
  readonly of: string;
  readonly ids: readonly number[];
  /** The residual stream before each layer and after the last. */
  readonly stream: readonly Kept[];
  /** Rows at the last token of the tensors that its logits are split by. */
  readonly rows: Readonly<Record<string, Kept>>;
  /** Heads of each layer that has weights. */
  readonly heads: readonly {
    readonly layer: number;
    readonly numHeads: number;
    readonly small: Float32Array;
    readonly scores: ReadonlyMap<PatternName, readonly number[]>;
  }[];
  /** Weights by layer, of a short text. */
  weights: ReadonlyMap<number, LayerWeights>;
  /** Logits after the last token. */
  readonly row: Kept["data"];
};

const nameOf = (text: string, without: readonly AblationTarget[]): string => JSON.stringify([text, without]);

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
