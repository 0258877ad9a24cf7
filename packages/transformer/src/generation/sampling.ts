import { ArgumentError } from "@qkv/core";

/** How the next token is chosen. */
export type Sampling = {
  /** 0: the likeliest token, always. 1: as likely as the model says. Above: more evenly. Default 0. */
  temperature?: number;
  /** Chooses only among the likeliest tokens that together reach this probability. Default 1: among all. */
  topP?: number;
  /** Makes a choice repeatable: the same seed chooses the same tokens. A whole number. Default 0. */
  seed?: number;
};

/** Sampling, checked and complete. */
export function checkSampling({ temperature = 0, topP = 1, seed = 0 }: Sampling): Required<Sampling> {
  const fail = (argument: string, received: unknown, expected: string, fix: string): never => {
    throw new ArgumentError({ fn: "generate", argument, received, expected, fix });
  };
  if (!(temperature >= 0) || temperature === Infinity) {
    fail(
      "temperature",
      temperature,
      "a number, 0 or more",
      "use 0 for the likeliest token, about 0.8 for variety.",
    );
  }
  if (!(topP > 0 && topP <= 1))
    fail("topP", topP, "a number above 0, at most 1", "use 1 to choose among all tokens.");
  if (!Number.isSafeInteger(seed)) fail("seed", seed, "a whole number", "give any whole number.");
  return { temperature, topP, seed };
}

/**
 * The next token.
 *
 * @param logits - One number per token.
 * @param chance - Between 0 and 1: which of the possible tokens it is.
 */
export function chooseToken(
  logits: ArrayLike<number>,
  { temperature, topP }: Required<Sampling>,
  chance: number,
): number {
  if (temperature === 0) return likeliest(logits);
  const probabilities = softmaxOf(logits, temperature);
  if (topP >= 1) return pick(probabilities.keys(), probabilities, 1, chance);
  const order = [...probabilities.keys()].sort((a, b) => probabilities[b]! - probabilities[a]!);
  let total = 0;
  let count = 0;
  while (count < order.length && total < topP) total += probabilities[order[count++]!]!;
  return pick(order.slice(0, count), probabilities, total, chance);
}

/** The natural logarithm of a token's probability, before temperature. */
export function logProbability(logits: ArrayLike<number>, id: number): number {
  const largest = logits[likeliest(logits)]!;
  let total = 0;
  for (let i = 0; i < logits.length; i++) total += Math.exp(logits[i]! - largest);
  return logits[id]! - largest - Math.log(total);
}

/** The first of the largest. */
function likeliest(logits: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i]! > logits[best]!) best = i;
  return best;
}

function softmaxOf(logits: ArrayLike<number>, temperature: number): Float64Array {
  const largest = logits[likeliest(logits)]!;
  const powers = Float64Array.from(logits, (logit) => Math.exp((logit - largest) / temperature));
  const total = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / total);
}

function pick(ids: Iterable<number>, probabilities: Float64Array, total: number, chance: number): number {
  let rest = chance * total;
  let last = 0;
  for (const id of ids) {
    last = id;
    rest -= probabilities[id]!;
    if (rest < 0) return id;
  }
  return last;
}
