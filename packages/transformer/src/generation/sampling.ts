import { checks, type Checks } from "@qkv/core";
import { newSeed } from "./new-seed.js";
import { penalizeTokens } from "./processors/repetition-penalty.js";

/**
 * Sampling of the next token. The steps are applied in the order of these fields, each to what the step before it left, with
 * probabilities that sum to 1 again: as in Hugging Face Transformers.
 */
export type Sampling = {
  /** Added to the logits of tokens, by id; `-Infinity` forbids one. Default: nothing. */
  logitBias?: Readonly<Record<number, number>>;
  /**
   * Logits of tokens in the prompt or the generated text are divided by it, or multiplied where they are below 0.
   * Default 1: off; about 1.1 is usual.
   */
  repetitionPenalty?: number;
  /** Subtracted from the logits of generated tokens. Default 0. */
  presencePenalty?: number;
  /** Subtracted once for each occurrence. Default 0. */
  frequencyPenalty?: number;
  /**
   * Divides the logits. 0: greedy, always the likeliest token. 1: the model's probabilities. Above 1: flatter. Default
   * 0.
   */
  temperature?: number;
  /** Number of most likely tokens to sample from. Default: all. */
  topK?: number;
  /**
   * Samples from the most likely tokens whose probabilities, among those that `topK` left, sum to at least this (nucleus
   * sampling). Default 1: all.
   */
  topP?: number;
  /** Removes tokens less likely than this fraction of the highest probability. Default 0: none. */
  minP?: number;
  /**
   * Seed of the sampling, an integer: the same seed gives the same tokens. Default: a new one for each call, which the
   * summary states.
   */
  seed?: number;
};

/** Prompt and generated tokens, to which penalties apply. */
export type TokenHistory = {
  readonly prompt: readonly number[];
  readonly generated: readonly number[];
};

/** A candidate for the next token. */
export type Candidate = { id: number; probability: number };

/** Checks sampling options and fills in defaults. */
export function checkSampling(
  sampling: Sampling | undefined,
  fn = "generate",
  vocabSize = Infinity,
): Required<Sampling> {
  const check = checks(fn);
  const names = [...Object.keys(defaults), "seed"] as (keyof Sampling)[];
  const given = check.options(sampling, names, "sampling");
  const complete = { ...defaults, seed: newSeed(), ...given };
  for (const [argument, { accepts, expected, fix }] of Object.entries(rules)) {
    const received = complete[argument as keyof typeof rules];
    check.each(
      { [argument]: received },
      (value) => typeof value === "number" && accepts(value),
      expected,
      fix,
    );
  }
  check.each({ logitBias: complete.logitBias }, isPlainObject, "an object of numbers by token id");
  for (const [id, bias] of Object.entries(complete.logitBias)) {
    const isId = /^\d+$/.test(id) && Number(id) < vocabSize;
    if (isId && typeof bias === "number" && !Number.isNaN(bias) && bias !== Infinity) continue;
    check.refuse({
      argument: "logitBias",
      received: `${id}: ${bias}`,
      expected: `token ids${vocabSize === Infinity ? "" : ` below ${vocabSize}`}, each with a finite number or -Infinity`,
      fix: "write { 42: 5 } to favour token 42, { 42: -Infinity } to forbid it.",
    });
  }
  if (given.temperature === undefined) checkGreedy(check, complete);
  return complete;
}

/** Refuses `topK`, `topP` and `minP` without a temperature, because greedy decoding ignores them. */
function checkGreedy(check: Checks, complete: Required<Sampling>): void {
  for (const argument of ["topK", "topP", "minP"] as const) {
    const received = complete[argument];
    if (received === defaults[argument]) continue;
    check.refuse({
      ...{ argument, received },
      expected: "nothing without a temperature, as the default 0 always takes the likeliest token",
      fix: `write { temperature: 1, ${argument}: ${received} }.`,
    });
  }
}

const isPlainObject = (value: unknown): boolean =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const defaults: Required<Omit<Sampling, "seed">> = {
  logitBias: {},
  repetitionPenalty: 1,
  presencePenalty: 0,
  frequencyPenalty: 0,
  temperature: 0,
  topK: Infinity,
  topP: 1,
  minP: 0,
};

const finite = (value: number) => Number.isFinite(value);
const penalty = {
  accepts: finite,
  expected: "a finite number",
  fix: "use 0 for none; negative numbers invite repetition.",
};
const rules = {
  repetitionPenalty: {
    accepts: (value: number) => value > 0 && finite(value),
    expected: "a number above 0",
    fix: "use 1 for none, about 1.1 against repetition.",
  },
  presencePenalty: penalty,
  frequencyPenalty: penalty,
  temperature: {
    accepts: (value: number) => value >= 0 && finite(value),
    expected: "a number, 0 or more",
    fix: "use 0 for the likeliest token, about 0.8 for variety.",
  },
  topK: {
    accepts: (value: number) => value === Infinity || (Number.isInteger(value) && value >= 1),
    expected: "an integer number of tokens, 1 or more",
    fix: "leave it out to choose among all tokens.",
  },
  topP: {
    accepts: (value: number) => value > 0 && value <= 1,
    expected: "a number above 0, at most 1",
    fix: "use 1 to choose among all tokens.",
  },
  minP: {
    accepts: (value: number) => value >= 0 && value <= 1,
    expected: "a number from 0 to 1",
    fix: "use 0 to leave out none, about 0.05 to leave out the unlikely.",
  },
  seed: {
    accepts: (value: number) => Number.isSafeInteger(value),
    expected: "an integer",
    fix: "give any integer, or leave it out for another text each time.",
  },
};

/**
 * Returns the candidates for the next token with their probabilities, the most likely first. Tokens that sampling
 * excludes are not in the list; the probabilities of the rest sum to 1.
 *
 * @param logits - One logit per token.
 * @param sampling - With temperature 0, the only candidate is the most likely token.
 * @param history - Tokens that penalties apply to. Default: none.
 * @throws {ArgumentError} If a number is out of range.
 *
 * @example
 * ```ts
 * import { candidates } from "@qkv/transformer";
 *
 * const logits = [0, 2, 1, -5].map((power) => power * Math.LN2); // probabilities in proportion 1 : 4 : 2 : 1/32
 * const shown = candidates(logits, { temperature: 1, topK: 2 });
 * shown.map(({ id, probability }) => [id, probability.toFixed(3)]); // => [[1, "0.667"], [2, "0.333"]]
 * candidates(logits, { logitBias: { 1: -Infinity } }).map(({ id }) => id); // => [2]
 * ```
 */
export function candidates(
  logits: ArrayLike<number>,
  sampling: Sampling = {},
  history: TokenHistory = { prompt: [], generated: [] },
): Candidate[] {
  const check = checks("candidates");
  check.each(
    { logits },
    isList,
    "a number for each token",
    "give the last row of what the model's `apply` returns.",
  );
  const checked = checkSampling(sampling, "candidates", logits.length);
  const { prompt, generated } = check.options(history, ["prompt", "generated"], "history");
  check.each({ prompt, generated }, isList, "a list of token ids", "give [] for nothing.");
  const { ids, unnormalized } = unnormalizedProbabilities(check, logits, checked, history);
  const total = unnormalized.reduce((a, b) => a + b, 0);
  return Array.from(ids, (id, i) => ({ id, probability: unnormalized[i]! / total })).sort(
    (a, b) => b.probability - a.probability || a.id - b.id,
  );
}

/**
 * Samples the next token.
 *
 * @param logits - One logit per token.
 * @param uniform - A uniform random number, at least 0 and below 1.
 */
export function chooseToken(
  logits: ArrayLike<number>,
  sampling: Required<Sampling>,
  uniform: number,
  history: TokenHistory = { prompt: [], generated: [] },
  check: Checks = checks("generate"),
): number {
  const { ids, unnormalized } = unnormalizedProbabilities(check, logits, sampling, history);
  let remaining = uniform * unnormalized.reduce((a, b) => a + b, 0);
  for (let i = 0; i < ids.length; i++) {
    remaining -= unnormalized[i]!;
    if (remaining < 0) return ids[i]!;
  }
  return ids[ids.length - 1]!;
}

/**
 * The natural logarithm of a token's probability, before sampling changes it.
 *
 * @throws {ArgumentError} If the logits are invalid: one of them is NaN or +∞, or all are −∞.
 */
export function logProbability(logits: ArrayLike<number>, id: number): number {
  const largest = logits[argmax(logits)]!;
  let total = 0;
  for (let i = 0; i < logits.length; i++) total += Math.exp(logits[i]! - largest);
  const logprob = logits[id]! - largest - Math.log(total);
  if (!Number.isNaN(logprob)) return logprob;
  refuseLogits(checks("generate"), logits);
}

const isList = (value: unknown): boolean => Array.isArray(value) || ArrayBuffer.isView(value);

/** Refuses invalid logits, which would silently give a wrong token. */
export function refuseLogits(check: Checks, logits: ArrayLike<number>): never {
  const values = Array.from(logits);
  const invalidId = values.findIndex((logit) => Number.isNaN(logit) || logit === Infinity);
  check.refuse({
    argument: "logits",
    received: invalidId < 0 ? values : `${values[invalidId]} at token ${invalidId}`,
    expected: "numbers of which none is NaN or Infinity",
    fix: "look for NaN in the model's weights, or trace a call to find the layer where it begins.",
  });
}

/** The likeliest tokens with the logarithms of their probabilities, before sampling changes them. */
export function topLogprobs(logits: ArrayLike<number>, count: number): { id: number; logprob: number }[] {
  const ids = sortDescending(
    Array.from({ length: logits.length }, (_, id) => id),
    logits,
  ).slice(0, count);
  return ids.map((id) => ({ id, logprob: logProbability(logits, id) }));
}

/** Candidates with unnormalized probabilities. */
function unnormalizedProbabilities(
  check: Checks,
  logits: ArrayLike<number>,
  { temperature, topK, topP, minP, ...sampling }: Required<Sampling>,
  history: TokenHistory,
): { ids: ArrayLike<number>; unnormalized: Float64Array } {
  const changed = applyPenalties(logits, sampling, history);
  const best = argmax(changed);
  // The sum is NaN or infinite if one of the numbers is.
  let sum = 0;
  for (let id = 0; id < changed.length; id++) if (changed[id] !== -Infinity) sum += changed[id]!;
  if (!Number.isFinite(sum) || !(changed[best]! > -Infinity)) refuseLogits(check, changed);
  if (temperature === 0) return { ids: [best], unnormalized: Float64Array.of(1) };
  const largest = changed[best]!;
  const powers = Float64Array.from(changed, (logit) => Math.exp((logit - largest) / temperature));
  let ids: number[] = [];
  for (let id = 0; id < powers.length; id++) if (powers[id]! > 0) ids.push(id);
  if (topK < ids.length) ids = topKIndices(ids, powers, topK);
  if (topP < 1) ids = nucleus(ids, powers, topP);
  if (minP > 0) ids = ids.filter((id) => powers[id]! >= minP);
  return { ids, unnormalized: Float64Array.from(ids, (id) => powers[id]!) };
}

/** The most likely of the ids whose probabilities sum to at least `topP` of the sum of all, in descending order. */
function nucleus(ids: readonly number[], powers: Float64Array, topP: number): number[] {
  const total = ids.reduce((sum, id) => sum + powers[id]!, 0);
  // Ids below this are less than 1 - topP of the sum together, and need not be sorted.
  const least = ((1 - topP) * total) / ids.length;
  const sorted = sortDescending(
    ids.filter((id) => powers[id]! >= least),
    powers,
  );
  let cumulative = 0;
  let count = 0;
  while (count < sorted.length && cumulative < topP * total) cumulative += powers[sorted[count++]!]!;
  return sorted.slice(0, count);
}

type Penalties = Pick<
  Required<Sampling>,
  "logitBias" | "repetitionPenalty" | "presencePenalty" | "frequencyPenalty"
>;

/** Applies biases and penalties; returns the same logits if there are none. */
function applyPenalties(
  logits: ArrayLike<number>,
  { logitBias, repetitionPenalty, presencePenalty, frequencyPenalty }: Penalties,
  { prompt, generated }: TokenHistory,
): ArrayLike<number> {
  const biases = Object.entries(logitBias);
  const countsTokens = presencePenalty !== 0 || frequencyPenalty !== 0;
  if (biases.length === 0 && repetitionPenalty === 1 && !countsTokens) return logits;
  const changed = Float64Array.from(logits);
  for (const [id, bias] of biases) changed[Number(id)]! += bias;
  if (repetitionPenalty !== 1) {
    penalizeTokens(changed, [...prompt, ...generated], repetitionPenalty);
  }
  if (countsTokens) {
    for (const id of generated) changed[id]! -= frequencyPenalty;
    for (const id of new Set(generated)) changed[id]! -= presencePenalty;
  }
  return changed;
}

/** Index of the largest logit; the first in case of ties. */
function argmax(logits: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i]! > logits[best]!) best = i;
  return best;
}

/** Sorts ids in place by descending values; ties by ascending id. */
function sortDescending(ids: number[], values: ArrayLike<number>): number[] {
  return ids.sort((a, b) => values[b]! - values[a]! || a - b);
}

/** The `count` ids with the largest values, in descending order, without sorting the others. */
function topKIndices(ids: readonly number[], values: ArrayLike<number>, count: number): number[] {
  if (count * 8 > ids.length) return sortDescending([...ids], values).slice(0, count);
  const best: number[] = [];
  for (const id of ids) {
    if (best.length === count && !(values[id]! > values[best[count - 1]!]!)) continue;
    if (best.length === count) best.pop();
    // Ids are visited in ascending order, so a new one goes after equal ones.
    let index = best.length;
    while (index > 0 && values[best[index - 1]!]! < values[id]!) index -= 1;
    best.splice(index, 0, id);
  }
  return best;
}
