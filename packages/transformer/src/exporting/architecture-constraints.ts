import { ArgumentError } from "@qkv/core";
import { storedBiases } from "../architectures/stored-bias.js";
import type { RouterConfig } from "../layers/router.js";
import type { DecoderConfig, ExpertsConfig, LayerType } from "../models/decoder-config.js";
import type { DecoderParams } from "../models/decoder.js";

/** Normalizes a configuration: fills in defaults, and removes fields that equal them. */
export function normalizedConfig(config: DecoderConfig, params: DecoderParams): DecoderConfig {
  const {
    layerTypes,
    window,
    chunkSize,
    ropeDim,
    ropeLayers,
    qkNormPlace,
    queryTemperature,
    valueNorm,
    attentionScale,
    attentionGate,
    sinks,
    differential,
    latent,
    indexer,
    sharedKeyValues,
    feedForwardLayers,
    activationSparsity,
    experts,
    layerOverrides,
    layerScale,
    residualScale,
    embeddingScale,
    embeddingNorm,
    logitScale,
    alibiScale,
    bias: _bias, // determined by the weights
    dropout: _dropout, // only for training
    checkpoint: _checkpoint, // only for adapters
    ...others
  } = config;
  const headDim = config.headDim ?? config.embedDim / config.numHeads;
  const isSliding = layerTypes?.includes("sliding") ?? false;
  const isChunked = layerTypes?.includes("chunked") ?? false;
  const hasCustomLayers = layerTypes?.some(isCustomLayer) ?? false;
  return {
    ...others,
    headDim,
    norm: config.norm ?? "rms",
    placement: config.placement ?? "pre",
    activation: config.activation ?? "silu",
    gated: config.gated ?? true,
    positions: config.positions ?? "rotary",
    ropeBase: config.ropeBase ?? 10000,
    ropeLayout: config.ropeLayout ?? "half",
    qkNorm: config.qkNorm ?? false,
    bias: storedBiases(config, params),
    ...((isSliding || isChunked || hasCustomLayers) && { layerTypes: layerTypes! }),
    ...(isSliding && { window: window! }),
    ...(isChunked && { chunkSize: chunkSize! }),
    ...(qkNormPlace === "afterRope" && { qkNormPlace }),
    ...(queryTemperature && { queryTemperature }),
    ...(differential && { differential }),
    ...(latent && { latent }),
    ...(indexer && { indexer }),
    ...(attentionGate && { attentionGate }),
    ...(valueNorm && { valueNorm }),
    ...(sharedKeyValues?.some((from, i) => from !== i) && { sharedKeyValues }),
    ...(layerOverrides?.some(Boolean) && { layerOverrides }),
    ...(activationSparsity && { activationSparsity }),
    ...(layerScale && { layerScale }),
    ...(feedForwardLayers?.some((entry) => entry !== true) && { feedForwardLayers }),
    ...(ropeDim !== undefined && ropeDim !== headDim && { ropeDim }),
    ...(attentionScale !== undefined && attentionScale !== headDim ** -0.5 && { attentionScale }),
    ...(residualScale !== undefined && residualScale !== 1 && { residualScale }),
    ...(logitScale !== undefined && logitScale !== 1 && { logitScale }),
    ...(alibiScale !== undefined && alibiScale !== 1 && { alibiScale }),
    ...(sinks && { sinks }),
    ...(embeddingNorm && { embeddingNorm }),
    ...(ropeLayers?.includes(false) && { ropeLayers }),
    ...(embeddingScale !== undefined && embeddingScale !== 1 && { embeddingScale }),
    ...(experts && { experts: normalizedExperts(experts) }),
  };
}

function normalizedExperts({ router = {}, shared, ...experts }: ExpertsConfig): ExpertsConfig {
  const { scores, choiceBias, groups, scale = 1, shareEps = 1e-20, applyWeightOn } = router;
  const routerFields: RouterConfig = {
    ...(scores === "sigmoid" && { scores }),
    ...(choiceBias && { choiceBias }),
    ...(groups && groups.chosen < groups.count && { groups: { ...groups, best: groups.best ?? 1 } }),
    ...(shareEps !== 1e-20 && { shareEps }),
    ...(scale !== 1 && { scale }),
    ...(applyWeightOn === "input" && { applyWeightOn }),
  };
  return {
    ...experts,
    normTopKProb: experts.normTopKProb ?? true,
    ...(Object.keys(routerFields).length > 0 && { router: routerFields }),
    ...(shared && { shared: { ...shared, gated: shared.gated ?? false } }),
  };
}

/** True for custom layers of a configuration, and for layers without attention. */
const isCustomLayer = (type: LayerType): boolean => typeof type === "object" || type === "none";

/** Refuses custom layers in formats that have only named layer types. */
export function refuseStackedLayers({ layerTypes = [] }: DecoderConfig): void {
  const layer = layerTypes.findIndex(isCustomLayer);
  if (layer < 0) return;
  const type = layerTypes[layer]!;
  const name = typeof type === "object" && "name" in type ? type.name : undefined;
  throw new ArgumentError({
    fn: "exportModel",
    argument: `config.layerTypes[${layer}]`,
    received: type === "none" ? type : (name ?? "a layer of its own"),
    expected:
      '"full" or "sliding": this format, or the architecture nearest to this model, has no other layers',
    fix: "keep the params with `writeSafetensors`, and make the model from its configuration again.",
  });
}

type Constraint<K extends keyof DecoderConfig> = {
  holds(value: DecoderConfig[K], config: DecoderConfig): boolean;
  /** The expected value, for errors. */
  readonly expected: string;
};

/** Constraints of an architecture on a normalized configuration. Fields without a constraint may have any value. */
export type ArchitectureConstraints = { readonly [K in keyof DecoderConfig]?: Constraint<K> };

/** A property of a model that an architecture does not support: a field of the configuration, or an argument. */
export type Violation = (
  { field: keyof DecoderConfig; argument?: undefined } | { field?: undefined; argument: string }
) & { received: unknown; expected: string };

/** Constraints of an architecture that a configuration violates. */
export function violations(config: DecoderConfig, constraints: ArchitectureConstraints): Violation[] {
  return Object.entries(constraints).flatMap(([name, rule]) => {
    const field = name as keyof DecoderConfig;
    const { holds, expected } = rule as Constraint<typeof field>;
    const received = config[field];
    return holds(received as never, config) ? [] : [{ field, received, expected }];
  });
}

/**
 * Returns the first architecture whose constraints a configuration meets.
 *
 * @throws {ArgumentError} If there is none. The error names the first violation of the nearest architecture.
 */
export function matchArchitecture<
  A extends { readonly name: string; readonly constraints: ArchitectureConstraints },
>(config: DecoderConfig, architectures: readonly A[], format: string): A {
  const candidates = architectures.map((architecture) => ({
    architecture,
    violations: violations(config, architecture.constraints),
  }));
  return chooseArchitecture(candidates, format);
}

/**
 * Returns the first architecture without violations.
 *
 * @param candidates - Architectures with their violations.
 * @throws {ArgumentError} If there is none. The error names the first violation of the nearest architecture.
 */
export function chooseArchitecture<A extends { readonly name: string }>(
  candidates: readonly { architecture: A; violations: readonly Violation[] }[],
  format: string,
): A {
  const [nearest] = candidates.toSorted((a, b) => a.violations.length - b.violations.length) as [
    (typeof candidates)[0],
  ];
  const [first] = nearest.violations;
  if (!first) return nearest.architecture;
  const { argument = `config.${first.field}` } = first;
  throw new ArgumentError({
    fn: "exportModel",
    argument,
    received: first.received,
    expected: `${first.expected}, as ${nearest.architecture.name} has it, which this model is nearest to`,
    fix: `keep the params with \`writeSafetensors\`: none of the ${candidates.length} architectures of ${format} that were tried stores all traits of this model.`,
  });
}

/** Experts with a softmax router, without a shared expert. */
export const hasPlainExperts = (experts: ExpertsConfig | undefined): boolean =>
  experts !== undefined && !experts.router && !experts.shared;

/** Constraints to build architectures from. */
export const constraint = {
  is: <T>(expected: T) => ({
    holds: (value: unknown) => value === expected,
    expected: JSON.stringify(expected),
  }),
  absent: { holds: (value: unknown) => value === undefined, expected: "nothing" },
  present: { holds: (value: unknown) => value !== undefined, expected: "a value" },
  unconstrained: { holds: () => true, expected: "anything" },
} as const;
