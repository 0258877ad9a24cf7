import type { Interventions } from "@qkv/transformer/inspection";
import type { LensModel } from "../lens-model.js";
import { interventionsOf } from "../run-with-trace.js";
import { ablate, type AblationTarget } from "./ablate.js";

/** A model, or one whose passes ablate parts of it. */
export type AblatedModel = LensModel & {
  /** Absent: nothing is ablated. */
  readonly ablated?: {
    /** By full name. */
    readonly interventions: Interventions;
    /** Layers whose attention adds nothing: its heads are computed, but are no parts of the stream. */
    readonly attention: ReadonlySet<number>;
    /** The first layer that differs. */
    readonly first: number;
  };
};

/** The same model, whose passes ablate some parts by zeros. */
export function ablatedModel(model: LensModel, targets: readonly AblationTarget[]): AblatedModel {
  if (targets.length === 0) return model;
  const interventions = interventionsOf(model, ablate(targets));
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

/** Interventions one after the other. */
export function chained(one: Interventions, other: Interventions): Interventions {
  const both: Record<string, Interventions[string]> = { ...one };
  for (const [name, then] of Object.entries(other)) {
    const before = one[name];
    both[name] = before ? (x) => then(before(x)) : then;
  }
  return both;
}
