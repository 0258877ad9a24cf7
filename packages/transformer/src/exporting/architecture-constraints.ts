import { ArgumentError } from "@qkv/core";
import { storedBiases } from "../architectures/stored-bias.js";
import type { RouterConfig } from "../layers/router.js";
import type { DecoderConfig, ExpertsConfig, LayerType } from "../models/decoder-config.js";
import type { DecoderParams } from "../models/decoder.js";

/** Normalizes a configuration: fills in defaults, and removes fields that equal them. */
export function normalizedConfig(config: DecoderConfig, params: DecoderParams): DecoderConfig {
  const { embedDim, numHeads, layerTypes, ropeDim, attentionScale, embeddingScale, experts } = config;
  const headDim = config.headDim ?? embedDim / numHeads;
  const {
    attentionScale: _scale,
    embeddingScale: _size,
    ropeDim: _dim,
    layerTypes: _types,
    ...others
  } = config;
  const { bias: _bias, experts: _experts, attentionGate, feedForwardLayers, ...more } = others;
  const { residualScale, logitScale, alibiScale, sinks, embeddingNorm, ropeLayers, ...plain } = more;
  const { window, chunkSize, qkNormPlace, queryTemperature, differential, latent, indexer, ...other } = plain;
  const { valueNorm, sharedKeyValues, layerOverrides, activationSparsity, layerScale, ...inner } = other;
  const { dropout: _dropout, ...rest } = inner; // only for training
  const slides = layerTypes?.includes("sliding") ?? false;
  const isChunked = layerTypes?.includes("chunked") ?? false;
  const stacks = layerTypes?.some(isStacked) ?? false;
  return {
    ...rest,
    headDim,
    norm: config.norm ?? "rms",
    placement: config.placement ?? "pre",
    activation: config.activation ?? "silu",
    gated: config.gated ?? true,
    positions: config.positions ?? "rotary",
    ropeBase: config.ropeBase ?? 10000,
    ropeLayout: config.ropeLayout ?? "half",
    qkNorm: config.qkNorm ?? false,
    bias: storedBiases(config, params), // determined by the weights
    ...((slides || isChunked || stacks) && { layerTypes: layerTypes! }),
    ...(slides && { window: window! }),
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
    ...(feedForwardLayers?.some((one) => one !== true) && { feedForwardLayers }),
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
  const own: RouterConfig = {
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
    ...(Object.keys(own).length > 0 && { router: own }),
    ...(shared && { shared: { ...shared, gated: shared.gated ?? false } }),
  };
}

/** True for custom layers of a configuration, and for layers without attention. */
const isStacked = (type: LayerType): boolean => typeof type === "object" || type === "none";

/** Refuses custom layers in formats that have only named layer types. */
export function refuseStackedLayers({ layerTypes = [] }: DecoderConfig): void {
  const at = layerTypes.findIndex(isStacked);
  if (at < 0) return;
  const type = layerTypes[at]!;
  const name = typeof type === "object" && "name" in type ? type.name : undefined;
  throw new ArgumentError({
    fn: "exportModel",
    argument: `config.layerTypes[${at}]`,
    received: type === "none" ? type : (name ?? "a layer of its own"),
    expected:
      '"full" or "sliding": this format, or the architecture nearest to this model, has no other layers',
    fix: "keep the params with `writeSafetensors`, and make the model from its configuration again.",
  });
}

type Constraint<K extends keyof DecoderConfig> = {
  holds(value: DecoderConfig[K], config: DecoderConfig): boolean;
  /** The expected value, in words. */
  readonly words: string;
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
    const { holds, words } = rule as Constraint<typeof field>;
    const received = config[field];
    return holds(received as never, config) ? [] : [{ field, received, expected: words }];
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
  const tried = architectures.map((one) => ({ one, odd: violations(config, one.constraints) }));
  return chooseArchitecture(tried, format);
}

/**
 * Returns the first architecture without violations.
 *
 * @param tried - Architectures with their violations.
 * @throws {ArgumentError} If there is none. The error names the first violation of the nearest architecture.
 */
export function chooseArchitecture<A extends { readonly name: string }>(
  tried: readonly { one: A; odd: readonly Violation[] }[],
  format: string,
): A {
  const [nearest] = tried.toSorted((a, b) => a.odd.length - b.odd.length) as [(typeof tried)[0]];
  const [first] = nearest.odd;
  if (!first) return nearest.one;
  const { argument = `config.${first.field}` } = first;
  throw new ArgumentError({
    fn: "exportModel",
    argument,
    received: first.received,
    expected: `${first.expected}, as ${nearest.one.name} has it, which this model is nearest to`,
    fix: `${format} knows these: ${tried.map(({ one }) => one.name).join(", ")}; keep the params of another with \`writeSafetensors\`.`,
  });
}

/** Experts with a softmax router, without a shared expert. */
export const hasPlainExperts = (experts: ExpertsConfig | undefined): boolean =>
  experts !== undefined && !experts.router && !experts.shared;

/** Constraints to build architectures from. */
export const constraint = {
  is: <T>(wanted: T) => ({ holds: (value: unknown) => value === wanted, words: JSON.stringify(wanted) }),
  nothing: { holds: (value: unknown) => value === undefined, words: "nothing" },
  something: { holds: (value: unknown) => value !== undefined, words: "a value" },
  anything: { holds: () => true, words: "anything" },
} as const;
