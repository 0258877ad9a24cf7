import type { LayerPrediction, LensSession, LogitPartsAnswer, Prediction } from "@qkv/lens/session";

/** A layer as two measures see it. */
export type LayerEffect = {
  /** −1: the embedding. */
  readonly layer: number;
  /** By the logit lens: probability and rank of the answer after the layer. */
  readonly probability: number;
  readonly rank: number;
  /** Direct contributions to the logit of the answer minus that of the runner-up. */
  readonly attention: number;
  readonly feedForward: number;
};

/** The layer that decides a prediction, by two measures. */
export type Decision = {
  readonly effects: readonly LayerEffect[];
  /** The first layer from which on the answer is the most probable token; −1: the embedding. */
  readonly from: number;
  /** The layer in which the probability of the answer rises most. Undefined: in none. */
  readonly rise: { readonly layer: number; readonly before: number; readonly after: number } | undefined;
  /** The largest direct contribution of a layer. Undefined: none is above 0. */
  readonly largest:
    | { readonly layer: number; readonly part: "attention" | "feedForward"; readonly value: number }
    | undefined;
  /** The layer whose contributions sum to the most. Undefined: no sum is above 0. */
  readonly decider: LayerEffect | undefined;
  /** Contributions of no layer: embeddings, biases of the output. */
  readonly others: number;
};

/**
 * Joins the logit lens at one position, whose first watched token is the answer, with the parts of the answer's logit minus that of the
 * runner-up.
 */
export function decision(
  lens: readonly LayerPrediction[],
  { parts }: Pick<LogitPartsAnswer, "parts">,
): Decision | undefined {
  if (lens.length === 0 || lens.some(({ watched }) => watched.length === 0)) return undefined;
  const added = (layer: number, part: "attention" | "feedForward") =>
    parts
      .filter((one) => one.layer === layer && one.name.includes(".feedForward") === (part === "feedForward"))
      .reduce((sum, { value }) => sum + value, 0);
  const effects = lens.map(({ layer, watched: [answer] }): LayerEffect => ({
    layer,
    probability: answer!.probability,
    rank: answer!.rank,
    attention: added(layer, "attention"),
    feedForward: added(layer, "feedForward"),
  }));
  const lastOther = effects.findLastIndex(({ rank }) => rank > 1);
  const rises = effects.slice(1).map(({ layer, probability }, i) => ({
    layer,
    before: effects[i]!.probability,
    after: probability,
  }));
  const rise = rises.reduce<Decision["rise"]>((best, one) => {
    const by = one.after - one.before;
    return by > (best ? best.after - best.before : 0) ? one : best;
  }, undefined);
  const contributions = effects.flatMap(({ layer, ...effect }) =>
    (["attention", "feedForward"] as const).map((part) => ({ layer, part, value: effect[part] })),
  );
  const largest = contributions.reduce<Decision["largest"]>(
    (best, one) => (one.value > (best?.value ?? 0) ? one : best),
    undefined,
  );
  const decider = effects.reduce<LayerEffect | undefined>(
    (best, one) => (addedBy(one) > (best ? addedBy(best) : 0) ? one : best),
    undefined,
  );
  const others = parts.filter(({ layer }) => layer === undefined).reduce((sum, { value }) => sum + value, 0);
  const from = effects[lastOther + 1]?.layer ?? effects.at(-1)!.layer;
  return { effects, from, rise, largest, decider, others };
}

/** All that a layer adds directly. */
export const addedBy = ({ attention, feedForward }: LayerEffect): number => attention + feedForward;

/** Below this difference of their logits two tokens are nearly tied. */
export const nearlyTied = 0.2;

/**
 * The answer without a layer: `kept` if it is still the most probable token; `lost` if it has less than a tenth of its probability;
 * else `changed`, to another token that it competes with.
 */
export type WithoutLayer = "kept" | "changed" | "lost";

/** Compares the answer of the run with the likeliest token and the answer's own probability without a layer. */
export function withoutLayer(answer: Prediction, best: Prediction, now: Prediction): WithoutLayer {
  if (best.id === answer.id) return "kept";
  return now.probability < answer.probability / 10 ? "lost" : "changed";
}

/** A layer that is switched off whole. */
export const wholeLayer = (layer: number): Parameters<LensSession["ablate"]>[0]["targets"] => [{ layer }];
