import { checks, type Checks } from "@qkv/core";
import { slice, take, tensor, type Tensor } from "@qkv/tensor";
import { decoder } from "@qkv/transformer";
import { tensorNames, type Interventions } from "@qkv/transformer/inspection";
import { logitNames, splitLogit } from "../decompose/logit-parts.js";
import { buildScoreGraph } from "../decompose/score-graph.js";
import { scorePartsFromSides } from "../decompose/score-parts.js";
import { scoreSides } from "../decompose/score-sides.js";
import { copiedTokens } from "../heads/circuits.js";
import { checkModel, type LensModel } from "../lens-model.js";
import { ablate, type AblationTarget } from "../patching/ablate.js";
import { ablatedModel, type AblatedModel } from "../patching/ablated-model.js";
import { attributionMap } from "../patching/attribution-patching.js";
import { logitDifference, type Metric } from "../patching/metric.js";
import { patch } from "../patching/patch.js";
import { positionAxis } from "../patching/slices.js";
import { readNumber, patchingPair } from "../patching/patching-map.js";
import {
  resolveHooks,
  runUntil,
  runWithTrace,
  runUntilEnd,
  type Hooks,
  type TracedRun,
} from "../run-with-trace.js";
import type { CallOptions, LayerPrediction, LensSession, PatchQuestion, TextQuestion } from "./answers.js";
import {
  headMap,
  inductionKeys,
  copyWeights,
  hostView,
  type LayerWeights,
  patternScores,
  patternsIn,
  smallMaps,
  uniformScores,
  weightsView,
  type PatternName,
} from "./head-maps.js";
import { attributionByLayer, type CachedPass } from "./attribution-by-layer.js";
import {
  applyLayers,
  canStartAtAnyLayer,
  hostCopy,
  lastLogits,
  deviceTensor,
  type HostCopy,
} from "./run-layers.js";
import {
  largestIndices,
  type Prediction,
  softmaxProbabilities,
  predictions,
  tokenRank,
} from "./predictions.js";
import { repeatedTokens } from "./repeated-tokens.js";
import { watchedModel, type Watch } from "./watched-model.js";

/** The most cells on a side of a small map. */
const cells = 24;
/** The most attention weights that a run caches: of all layers, or of the last requested one. Unit: elements. */
const maxCachedWeights = 4e6;

/**
 * Opens a session: one model that answers questions about texts, one after the other, with plain data that can be posted to another
 * thread. It caches the residual stream of the last text, so that most answers need one pass or less.
 *
 * If `isCancelled` returns true, a question fails with an `AbortError` at the next tensor of the pass, forward or backward.
 *
 * @param model - A decoder with its tokenizer, as `load` returns it, on a device whose memory JavaScript can read (`js`, `wasm`).
 * @throws {ArgumentError} If the model is not a decoder, or has no tokenizer.
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
  const tokenizer = model.tokenizer ?? refuseMissingTokenizer();
  const layerFunctions = decoder(model.config);
  /** The last run, and the last run of its text with ablated parts. */
  let [plainRun, ablatedRun]: (CachedRun | undefined)[] = [];
  /** The traced run of the last source text, by position or head. */
  let tracedSource: (CachedPass & { of: string; logits: HostCopy }) | undefined;
  /** False: a pass has to start at the embeddings. */
  const startsAtAnyLayer = canStartAtAnyLayer(model.config);

  const tokenText = (id: number): string => {
    // Vocabularies are padded: some rows of the unembedding have no token.
    if (tokenizer.token(id) === undefined) return `[${id}]`;
    const text = tokenizer.decode([id], { skipSpecialTokens: false });
    return text.includes("\u{fffd}") ? (tokenizer.token(id) ?? text) : text;
  };
  const encodeText = (text: string): number[] => {
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
  /** The model with ablated parts, which reports to one question. */
  const watched = (callOptions: CallOptions | undefined, without?: readonly AblationTarget[]): AblatedModel =>
    watchedModel(ablated(without), createWatch(callOptions));
  const createWatch = (callOptions: CallOptions | undefined): Watch => {
    const onTensor = (part: number) => {
      throwIfCancelled(callOptions);
      callOptions?.onProgress?.(part);
    };
    onTensor(0);
    return { onTensor };
  };
  /** Hooks that copy the stream before each layer and after the last. */
  const keepStream = (stream: HostCopy[] = []) => {
    const hook = (x: Tensor): undefined => void stream.push(hostCopy(x));
    return { stream, hooks: { embeddings: hook, output: hook } };
  };
  /** Reads the logits of the last token with hooks. Starts at the first layer with a hook if the text's stream is cached. */
  const logitsWith = async <T>(
    { text, without }: TextQuestion,
    { hooks, first }: { readonly hooks: Interventions; readonly first: number },
    callOptions: CallOptions | undefined,
    read: (logits: Tensor) => T,
  ): Promise<T> => {
    const runModel = watched(callOptions, without);
    if (!startsAtAnyLayer)
      return read(runWithTrace(runModel, encodeText(text), { names: [], last: 1, hooks }).logits);
    const { stream } = await cachedOrNewRun({ text, ...(without && { without }) }, callOptions);
    const run = { first, interventions: resolveHooks(model, hooks) };
    return inScope(() => {
      const input = deviceTensor(stream[first]!, device);
      return read(
        lastLogits(
          model,
          layerFunctions,
          applyLayers(runModel, layerFunctions, input, run, createWatch(callOptions)),
        ),
      );
    });
  };
  /** Runs `f`, which returns no tensors, and frees all tensors that it created. */
  const { device } = model.params.norm.weight;
  const inScope = <T>(f: () => T): T => device.scope(f);

  const run: LensSession["run"] = async (question, callOptions) => {
    const {
      text,
      without = [],
      tokens = [],
    } = check.options(question, ["text", "without", "tokens"], "question");
    const { ids, heads, row } = await newRun({ text, without }, callOptions);
    const numHeads = Math.max(0, ...heads.map(({ numHeads }) => numHeads));
    const side = Math.min(cells, ids.length);
    const maps = new Float32Array(heads.length * numHeads * side * side);
    heads.forEach(({ small }, i) => maps.set(small, i * numHeads * side * side));
    const patternScoresByHead = (pattern: PatternName) =>
      Float32Array.from(
        heads.flatMap(({ scores }) =>
          Array.from({ length: numHeads }, (_, h) => scores.get(pattern)![h] ?? NaN),
        ),
      );
    const idList = Int32Array.from(ids);
    const patterns = patternsIn(idList);
    return {
      ids,
      tokens: ids.map(tokenText),
      numLayers: model.config.numLayers,
      layers: heads.map(({ layer }) => layer),
      numHeads,
      scores: Object.fromEntries(patterns.map((pattern) => [pattern, patternScoresByHead(pattern)])),
      uniform: uniformScores(patterns, idList),
      maps,
      cells: side,
      next: predictions(row, 10, tokenText),
      watched: watchedPredictions(row, tokens),
    };
  };

  /** Predictions for some tokens. */
  function watchedPredictions(
    row: ArrayLike<number>,
    tokens: readonly number[],
    probabilities = softmaxProbabilities(row),
  ): Prediction[] {
    for (const token of tokens)
      check.whole({ token }, { min: 0, max: probabilities.length - 1, fix: "give a token id." });
    return tokens.map((id) => ({ id, text: tokenText(id), probability: probabilities[id]! }));
  }

  /** Runs a text, and caches the run. With ablated parts, the pass starts at the first of their layers. */
  async function newRun({ text, without = [] }: TextQuestion, callOptions?: CallOptions): Promise<CachedRun> {
    const ids = encodeText(text);
    const runModel = watched(callOptions, without);
    const first = runModel.ablated?.first;
    const base =
      first !== undefined && startsAtAnyLayer ? await cachedOrNewRun({ text }, callOptions) : undefined;
    const startLayer = base ? first! : 0;
    const heads = base ? base.heads.filter(({ layer }) => layer < startLayer) : [];
    const weights = new Map(base && [...base.weights].filter(([layer]) => layer < startLayer));
    const rows: Record<string, HostCopy> = { ...base?.rows };
    const { stream, hooks: keeps } = keepStream(base?.stream.slice(0, startLayer + 1));
    const side = Math.min(cells, ids.length);
    const cachesWeights =
      model.config.numLayers * model.config.numHeads * ids.length ** 2 <= maxCachedWeights;
    const patterns = patternsIn(Int32Array.from(ids));
    const keepRow = (x: Tensor, name: string): undefined => {
      const axis = positionAxis(name);
      rows[name] = hostCopy(slice(x, axis, x.shape[axis]! - 1, x.shape[axis]!));
    };
    // Read layer by layer: the weights of all layers together would take too much memory.
    const readWeights = (x: Tensor, name: string): undefined => {
      const layer = Number(name.split(".")[1]);
      const seen = hostView(x);
      const scores = new Map<PatternName, number[]>();
      for (const pattern of patterns) {
        throwIfCancelled(callOptions);
        scores.set(pattern, patternScores(pattern, seen, Int32Array.from(ids)));
      }
      throwIfCancelled(callOptions);
      heads.push({ layer, numHeads: x.shape[1]!, small: smallMaps(seen, side), scores });
      if (cachesWeights) weights.set(layer, copyWeights(weightsView(seen)));
    };
    const names = tensorNames(model.config);
    const hasWeights = names.some((name) => name.endsWith(".attention.weights"));
    const hooks: Hooks = {
      ...Object.fromEntries(logitNames(model).map((name) => [name, keepRow])),
      output: keeps.output,
      embeddings: (x, name) => keepRow(x, name) ?? keeps.embeddings(x),
      ...(hasWeights && { "attention.weights": readWeights }),
    };
    let row: HostCopy;
    if (base) {
      const run = { first: startLayer, interventions: resolveHooks(model, hooks) };
      row = inScope(() => {
        const input = deviceTensor(base.stream[startLayer]!, device);
        return hostCopy(
          lastLogits(
            model,
            layerFunctions,
            applyLayers(runModel, layerFunctions, input, run, createWatch(callOptions)),
          ),
        );
      });
      rows["finalInput"] = inScope(() => {
        const end = deviceTensor(stream.at(-1)!, device);
        return hostCopy(slice(end, 1, ids.length - 1, ids.length));
      });
    } else row = hostCopy(runWithTrace(runModel, ids, { names: [], last: 1, hooks }).logits);
    const result = { of: runKey(text, without), ids, stream, rows, heads, weights, row: row.data };
    if (without.length === 0) [plainRun, ablatedRun] = [result, undefined];
    else ablatedRun = result;
    return result;
  }

  /** The cached run of a question, or a new one. */
  async function cachedOrNewRun(question: TextQuestion, callOptions?: CallOptions): Promise<CachedRun> {
    return cachedRun(question) ?? (await newRun(question, callOptions));
  }

  function cachedRun({ text, without = [] }: TextQuestion): CachedRun | undefined {
    const candidate = without.length === 0 ? plainRun : ablatedRun;
    return candidate?.of === runKey(text, without) ? candidate : undefined;
  }

  const head: LensSession["head"] = async (question, callOptions) => {
    const names = ["text", "without", "layer", "head"] as const;
    const { layer, head, ...about } = check.options(question, names, "question");
    const cached = cachedRun(about);
    const read = (weights: LayerWeights) => ({
      numHeads: weights.numHeads,
      weights: headMap(weights, head),
    });
    const known = cached?.weights.get(layer);
    const readNew = (weights: LayerWeights) => {
      if (cached && weights.data.length <= maxCachedWeights)
        cached.weights = new Map([[layer, copyWeights(weights)]]);
      return read(weights);
    };
    const { numHeads, weights } = known ? read(known) : weightsAt(about, layer, readNew, callOptions);
    check.whole({ head }, { min: 0, max: numHeads - 1, fix: "count heads from 0." });
    return { weights };
  };

  /** Reads the weights of a layer in a pass that ends there, and starts there if the run is cached. */
  function weightsAt<T>(
    question: TextQuestion,
    layer: number,
    read: (weights: LayerWeights) => T,
    callOptions?: CallOptions,
  ): T {
    const name = `layers.${layer}.attention.weights`;
    const readHere = (x: Tensor) => read(weightsView(x));
    const runModel = watched(callOptions, question.without);
    const input = startsAtAnyLayer ? cachedRun(question)?.stream[layer] : undefined;
    const isTraceable = tensorNames(model.config).includes(name);
    if (!input || !isTraceable) return runUntil(runModel, encodeText(question.text), name, readHere);
    return runUntilEnd((end) => {
      const interventions = { [name]: (x: Tensor): never => end(readHere(x)) };
      const run = { first: layer, interventions };
      inScope(
        () =>
          void applyLayers(
            runModel,
            layerFunctions,
            deviceTensor(input, device),
            run,
            createWatch(callOptions),
          ),
      );
    });
  }

  const copying: LensSession["copying"] = async (question, callOptions) => {
    const names = ["text", "without", "heads", "positions"] as const;
    const { heads, positions: most = 8, ...about } = check.options(question, names, "question");
    const { stream, ids } = await cachedOrNewRun(about, callOptions);
    const positions = inductionKeys(ids).slice(0, most);
    const tokens = positions.map((position) => ids[position]!);
    const counts: number[] = [];
    for (const { layer, head } of tokens.length === 0 ? [] : heads) {
      throwIfCancelled(callOptions);
      const count = inScope(() => {
        const index = tensor(positions, { dtype: "int32", device });
        // Layers that read more than the stream are tested on embeddings.
        const rows = startsAtAnyLayer ? take(deviceTensor(stream[layer]!, device), 1, index) : undefined;
        return copiedTokens(check, model, { layer, head, tokens, topK: 5 }, rows);
      });
      counts.push(count);
      callOptions?.onProgress?.(counts.length / heads.length);
    }
    return { positions, copied: counts };
  };

  const randomRepeatedTokens: LensSession["repeatedTokens"] = async (question) => {
    const { length = 20, seed } = check.options(question, ["length", "seed"], "question");
    check.whole({ length }, { min: 1, max: Math.floor(model.config.contextLength / 2) - 1 });
    return repeatedTokens(check, tokenizer, { vocabSize: model.config.vocabSize, length, seed });
  };

  const scoreParts: LensSession["scoreParts"] = async (question, callOptions) => {
    const names = ["text", "without", "layer", "head", "query", "key", "pairs"] as const;
    const { text, without, pairs = 24, ...place } = check.options(question, names, "question");
    const { querySources, keySources, score, dot, weight, parts } = inScope(() => {
      const sides = scoreSides(check, watched(callOptions, without), encodeText(text), place, {
        layerMasksOnly: true,
      });
      const { values, ...found } = scorePartsFromSides(sides);
      return { ...found, parts: Array.from(values.data, Number) };
    });
    const order = largestIndices(parts, pairs);
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

  const scoreGraph: LensSession["scoreGraph"] = async (question, callOptions) => {
    const names = ["text", "without", "layer", "head", "query", "key", "depth", "threshold", "pair"] as const;
    const { text, without, depth, threshold, pair, ...place } = check.options(question, names, "question");
    const options = {
      ...(depth !== undefined && { depth }),
      ...(threshold !== undefined && { threshold }),
      ...(pair && { pair }),
    };
    return inScope(() =>
      buildScoreGraph(watched(callOptions, without), encodeText(text), place, options, {
        layerMasksOnly: true,
        onSource: () => throwIfCancelled(callOptions),
      }),
    );
  };

  const logitLens: LensSession["logitLens"] = async (question, callOptions) => {
    const names = ["text", "without", "positions", "top", "tokens"] as const;
    const { positions, top = 5, tokens = [], ...about } = check.options(question, names, "question");
    const { stream, ids } = await cachedOrNewRun(about, callOptions);
    const fix = "count tokens from 0.";
    check.list({ positions }, "integers", Number.isSafeInteger, fix);
    for (const position of positions) check.whole({ position }, { min: 0, max: ids.length - 1, fix });
    const answers: LayerPrediction[] = [];
    for (const [i, output] of stream.entries()) {
      throwIfCancelled(callOptions);
      const logits = inScope(() => {
        const index = tensor([...positions], { dtype: "int32", device });
        return layerFunctions.logits(model.params, take(deviceTensor(output, device), 1, index)).data;
      });
      const V = logits.length / positions.length;
      positions.forEach((position, p) => {
        const row = logits.subarray(p * V, (p + 1) * V);
        const probabilities = softmaxProbabilities(row);
        const watched = watchedPredictions(row, tokens, probabilities).map((one) => ({
          ...one,
          rank: tokenRank(row, one.id),
        }));
        answers.push({
          layer: i - 1,
          position,
          top: predictions(row, top, tokenText, probabilities),
          watched,
        });
      });
      callOptions?.onProgress?.((i + 1) / stream.length);
    }
    return answers;
  };

  const logitParts: LensSession["logitParts"] = async (question, callOptions) => {
    const names = ["text", "without", "token", "minus"] as const;
    const { token, minus, ...about } = check.options(question, names, "question");
    const { row, rows, ids } = await cachedOrNewRun(about, callOptions);
    const found = inScope(() => {
      const places = Object.entries(rows).map(([name, x]) => [name, deviceTensor(x, device)] as const);
      const run = { row, tensors: Object.fromEntries(places), position: ids.length - 1 };
      return splitLogit(ablated(about.without), run, {
        ...(token !== undefined && { token }),
        ...(minus !== undefined && { minus }),
      });
    });
    const parts = found.parts.toSorted((a, b) => Math.abs(b.value) - Math.abs(a.value));
    const [predicted, subtracted] = watchedPredictions(row, [
      found.token,
      ...(minus === undefined ? [] : [minus]),
    ]);
    return { logit: found.logit, token: predicted!, minus: subtracted, parts };
  };

  const ablateTargets: LensSession["ablate"] = async (question, callOptions) => {
    const { text, targets, tokens = [] } = check.options(question, ["text", "targets", "tokens"], "question");
    const hooks = ablate(targets);
    const first = Math.min(...targets.map(({ layer }) => layer), model.config.numLayers);
    const row = await logitsWith({ text }, { hooks, first }, callOptions, ({ data }) => data);
    return { next: predictions(row, 10, tokenText), watched: watchedPredictions(row, tokens) };
  };

  /** The pair of texts of a question, and the cached pass over the source. */
  async function patchPair(question: PatchQuestion, callOptions: CallOptions | undefined) {
    const names = ["text", "without", "source", "token", "minus", "by", "place"] as never;
    const { source, by = "position", token, minus, ...about } = check.options(question, names, "question");
    const { text, without = [] } = about;
    const watching = watched(callOptions, without);
    const lastOnly: AblatedModel = {
      ...watching,
      apply: (params, ids, options) => watching.apply(params, ids, { ...options, last: 1 }),
    };
    let measure: { readonly token: number; readonly minus?: number };
    const metric: Metric = (logits) => logitDifference(measure)(logits);
    // Outputs of heads are patched by head, the residual stream by position.
    const asked = { metric, by, names: [by === "head" ? "heads" : "output"] as never };
    const pair = patchingPair(check, lastOnly, encodeText(text), encodeText(source), asked);
    const of = `${runKey(source, without)} ${by}`;
    if (tracedSource?.of !== of) {
      const { stream, hooks } = keepStream();
      const heads: Record<string, HostCopy> = {};
      const keepHeads = (x: Tensor, name: string): undefined => void (heads[name] = hostCopy(x));
      const keeps = { ...hooks, ...(by === "head" && { heads: keepHeads }) };
      const { logits } = runWithTrace(lastOnly, pair.ids[1], { names: [], hooks: keeps });
      tracedSource = { of, stream, heads, logits: hostCopy(logits) };
    }
    const { stream, heads, logits } = tracedSource;
    const sourceNext = predictions(logits.data, 10, tokenText);
    if (token === undefined) {
      const { row } = await cachedOrNewRun(about, callOptions);
      measure = likeliestPair(
        predictions(row, 10, tokenText),
        sourceNext,
        (id) => row[id]! - logits.data[id]!,
      );
    } else measure = { token, ...(minus !== undefined && { minus }) };
    const outputs = stream.slice(1).map((x, i) => [`layers.${i}.output`, x] as const);
    const sourceRows = { ...Object.fromEntries(outputs), ...heads };
    /** Tensors of the source. */
    const sourceTensors = (names: readonly string[]) =>
      Object.fromEntries(
        names.flatMap((name) =>
          sourceRows[name] ? [[name, deviceTensor(sourceRows[name], device)] as const] : [],
        ),
      );
    const from = (names: readonly string[]): TracedRun => ({
      logits: deviceTensor(logits, device),
      tensors: sourceTensors(names),
    });
    return {
      pair,
      model: lastOnly,
      from,
      cachedSource: tracedSource,
      about,
      source,
      metric,
      measure,
      sourceNext,
    };
  }

  const attributionPatching: LensSession["attributionPatching"] = async (question, callOptions) => {
    const {
      pair,
      model: runModel,
      from,
      about,
      source,
      cachedSource,
      ...measured
    } = await patchPair(question, callOptions);
    const { metric, measure, sourceNext } = measured;
    const { names, columns } = pair;
    const [token, minus] = watchedPredictions(cachedSource.logits.data, Object.values(measure));
    const answer = {
      names,
      columns,
      sourceTokens: encodeText(source).map(tokenText),
      sourceNext,
      token: token!,
      minus,
    };
    if (!startsAtAnyLayer) {
      const map = await attributionMap(runModel, pair, from(names));
      const values = Float32Array.from(await map.values.read(), Number);
      return { ...answer, values, unpatched: map.unpatched, source: map.source };
    }
    const { stream } = await cachedOrNewRun(about, callOptions);
    const passes = { stream, source: cachedSource };
    const { unpatched, changes } = attributionByLayer(
      runModel,
      layerFunctions,
      pair,
      passes,
      createWatch(callOptions),
    );
    const values = new Float32Array(names.length * columns).fill(NaN);
    names.forEach((name, row) =>
      values.set(
        Array.from(changes.get(name)!, (change) => unpatched + change),
        row * columns,
      ),
    );
    return { ...answer, values, unpatched, source: await readNumber(metric(from([]).logits)) };
  };

  const patchOnce: LensSession["patch"] = async (question, callOptions) => {
    const { from, about, metric } = await patchPair(question, callOptions);
    const { place } = question;
    const layer = Number(/^layers\.(\d+)\./.exec(place.name)?.[1] ?? 0);
    const hooks = patch(from([place.name]).tensors, [place]);
    const readMetric = (logits: Tensor) => Number(metric(logits).data[0]);
    return logitsWith(about, { hooks, first: layer }, callOptions, readMetric);
  };

  return {
    tokens: async (question) => encodeText(check.options(question, ["text"], "question").text).map(tokenText),
    run,
    head,
    copying,
    repeatedTokens: randomRepeatedTokens,
    logitLens,
    scoreParts,
    scoreGraph,
    logitParts,
    ablate: ablateTargets,
    attributionPatching,
    patch: patchOnce,
  };
}

/**
 * The two tokens whose logit difference measures a patch: the most probable of each text. If both are the same, the two candidates
 * whose logits are lowered and raised most in the source.
 *
 * @param logitDrop - The logit of a token minus its logit in the source.
 */
function likeliestPair(
  target: readonly Prediction[],
  source: readonly Prediction[],
  logitDrop: (id: number) => number,
): { readonly token: number; readonly minus?: number } {
  const [first, second] = target;
  if (source[0]!.id !== first!.id) return { token: first!.id, minus: source[0]!.id };
  const ids = [...new Set([...target, ...source].map(({ id }) => id))].toSorted(
    (a, b) => logitDrop(b) - logitDrop(a),
  );
  // Equal texts have equal logits.
  if (second === undefined || logitDrop(ids[0]!) === logitDrop(ids.at(-1)!))
    return { token: first!.id, ...(second && { minus: second.id }) };
  return { token: ids[0]!, minus: ids.at(-1)! };
}

/** A cached run. */
type CachedRun = {
  /** Key of the text and the ablated parts. */
  readonly of: string;
  readonly ids: readonly number[];
  /** The residual stream before each layer and after the last. */
  readonly stream: readonly HostCopy[];
  /** Rows of the last token, by full name, for `splitLogit`. */
  readonly rows: Readonly<Record<string, HostCopy>>;
  /** Small maps and scores of heads, for each layer with attention weights. */
  readonly heads: readonly {
    readonly layer: number;
    readonly numHeads: number;
    readonly small: Float32Array;
    readonly scores: ReadonlyMap<PatternName, readonly number[]>;
  }[];
  /** Attention weights by layer, of a short text. */
  weights: ReadonlyMap<number, LayerWeights>;
  /** Logits of the last token. */
  readonly row: HostCopy["data"];
};

const runKey = (text: string, without: readonly AblationTarget[]): string => JSON.stringify([text, without]);

function throwIfCancelled(callOptions: CallOptions | undefined): void {
  if (callOptions?.isCancelled?.()) throw new DOMException("The question was cancelled.", "AbortError");
}

function refuseMissingTokenizer(): never {
  const expected = "a model with its tokenizer";
  return check.refuse({
    argument: "model",
    received: "one without a tokenizer",
    expected,
    fix: "load its folder.",
  });
}

const check: Checks = /* @__PURE__ */ checks("lensSession");
