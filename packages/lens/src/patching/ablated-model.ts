import type { Interventions } from "@qkv/transformer/inspection";
import type { LensModel } from "../lens-model.js";
import { resolveHooks } from "../run-with-trace.js";
import { ablate, type AblationTarget } from "./ablate.js";

/** A model, possibly with ablated parts. */
export type AblatedModel = LensModel & {
  /** Ablated parts. Absent: none. */
  readonly ablated?: {
    /** By full name. */
    readonly interventions: Interventions;
    /** Layers whose attention is ablated: its heads are computed, but are not parts of the stream. */
    readonly attention: ReadonlySet<number>;
    /** The first layer with an ablated part. */
    readonly first: number;
  };
};

/** The same model with some parts ablated by zeros in every pass. */
export function ablatedModel(model: LensModel, targets: readonly AblationTarget[]): AblatedModel {
  if (targets.length === 0) return model;
  const interventions = resolveHooks(model, ablate(targets));
  const apply: LensModel["apply"] = (params, ids, options = {}) => {
    const { names = [], tensors = {}, interventions: given = {} } = options.trace ?? {};
    const trace = { names, tensors, interventions: chained(interventions, given) };
    return model.apply(params, ids, { ...options, trace });
  };
  const isAttention = ({ head, neuron, part }: AblationTarget) =>
    head === undefined && neuron === undefined && part !== "feedForward";
  const attention = new Set(targets.filter(isAttention).map(({ layer }) => layer));
  const first = Math.min(...targets.map(({ layer }) => layer));
  return { ...model, apply, ablated: { interventions, attention, first } };
}

/** Interventions of `one`, then those of `other`. */
export function chained(first: Interventions, second: Interventions): Interventions {
  const both: Record<string, Interventions[string]> = { ...first };
  for (const [name, next] of Object.entries(second)) {
    const before = first[name];
    both[name] = before ? (x) => next(before(x)) : next;
  }
  return both;
}
