import type { LayerPrediction, LensSession, PartsAnswer } from "@qkv/lens/session";

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
  /** Contributions of no layer: embeddings, biases of the output. */
  readonly others: number;
};

/**
 * Joins the logit lens at one position, whose first watched token is the answer, with the parts of the answer's logit minus that of the
 * runner-up.
 */
export function decision(
  lens: readonly LayerPrediction[],
  { parts }: Pick<PartsAnswer, "parts">,
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
  const others = parts.filter(({ layer }) => layer === undefined).reduce((sum, { value }) => sum + value, 0);
  return { effects, from: effects[lastOther + 1]?.layer ?? effects.at(-1)!.layer, rise, largest, others };
}

/** A layer that is switched off whole. */
export const wholeLayer = (layer: number): Parameters<LensSession["ablate"]>[0]["targets"] => [{ layer }];
