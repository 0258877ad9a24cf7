import { QkvError } from "@qkv/core";
import type { GgufArchitecture, GgufBiases, Presence } from "../../architectures/gguf/gguf-architecture.js";
import { readFields, writeFields } from "../../architectures/config-entry.js";
import { configFields } from "../../architectures/config-fields.js";
import { hasExperts } from "../../architectures/expert-parts.js";
import { storedBiases } from "../../architectures/stored-bias.js";
import type { DecoderConfig } from "../../models/decoder-config.js";
import type { DecoderParams } from "../../models/decoder.js";
import type { RopeScalingConfig } from "../../models/rope-from-config.js";
import { normalizedConfig, type Violation } from "../architecture-constraints.js";
import { canonicalJson } from "../architecture-decoder.js";
import { firstDifference } from "../first-difference.js";

/** Properties of a model that an architecture of llama.cpp cannot represent. If there are none, the file represents the model exactly. */
export function ggufDifferences(
  architecture: GgufArchitecture,
  config: DecoderConfig,
  params: DecoderParams,
): Violation[] {
  const found = [
    ...traitDifferences(architecture, config, params),
    ...biasDifferences(architecture.biases, config, params),
  ];
  const { ropeScaling, ropeDim, headDim, embedDim, numHeads } = config;
  if (!architecture.freeHeads && !config.latent && headDim !== undefined && headDim !== embedDim / numHeads)
    found.push({
      field: "headDim",
      received: headDim,
      expected: `embedDim / numHeads = ${embedDim / numHeads}`,
    });
  if (!architecture.partialRotary && ropeDim !== undefined && ropeDim !== headDim)
    found.push({ field: "ropeDim", received: ropeDim, expected: "nothing: all numbers of a head rotate" });
  if (ropeScaling && !isApplied(architecture.scalings, ropeScaling)) {
    const expected = `none, or one of ${architecture.scalings.join(", ")} (yarn with betas of 32 and 1, rounded)`;
    found.push({ field: "ropeScaling", received: ropeScaling, expected });
  }
  if (architecture.output === "tied" && params.output)
    found.push({
      argument: "params.output",
      received: "a matrix of its own",
      expected: "nothing: logits are made with the embedding",
    });
  const reason = found.length === 0 ? architecture.refuses?.(config, params) : undefined;
  return reason === undefined ? found : [reason];
}

/** Fields that differ after a configuration is written to metadata and read again. */
function traitDifferences(
  architecture: GgufArchitecture,
  config: DecoderConfig,
  params: DecoderParams,
): Violation[] {
  const entries = architecture.config();
  const original = comparable(normalizedConfig(config, params), architecture);
  try {
    const fields = configFields(writeFields(entries, config), { name: "metadata", fn: "exportModel" });
    const restored = readFields(entries, fields) as DecoderConfig;
    const stored = comparable(
      normalizedConfig({ ...restored, stopIds: config.stopIds }, params),
      architecture,
    );
    const names = [...new Set([...Object.keys(original), ...Object.keys(stored)])] as (keyof DecoderConfig)[];
    const functions: unknown[] = [];
    return names.flatMap((field): Violation[] => {
      const [received, expected] = [original[field], stored[field]];
      if (canonicalJson(received, functions) === canonicalJson(expected, functions)) return [];
      const { path, ...parts } = firstDifference(received, expected, functions);
      if (field === "layerTypes" && /^\[\d+\]/.test(path))
        return [
          {
            argument: `config.layerTypes${path}`,
            received: parts.received,
            expected: valueText(parts.expected),
          },
        ];
      return [{ field, received, expected: valueText(expected) }];
    });
  } catch (error) {
    if (!(error instanceof QkvError)) throw error;
    const received = error.message.split("\n")[0];
    // Nothing could be compared, so this architecture counts as the most distant.
    return Object.keys(original).map(() => ({
      argument: "config",
      received,
      expected: "metadata that can be read",
    }));
  }
}

/** A configuration with numbers rounded to float32, as in the file, and without fields that are compared elsewhere. */
function comparable(config: DecoderConfig, { ropeLayout, folded }: GgufArchitecture): Partial<DecoderConfig> {
  const { bias: _, experts, ropeScaling, ...others } = config;
  // Rows of queries and keys are permuted to the layout of the file, but the gains of their norms are not.
  const isPermuted = config.positions === "rotary" && !config.qkNorm && !config.latent;
  const width = experts?.hiddenDim;
  const { window = 0, contextLength, layerTypes } = config;
  const seesAll =
    window >= contextLength && !layerTypes?.some((type) => type !== "sliding" && type !== "full");
  return inFloat32({
    ...others,
    ...(ropeScaling && { ropeScaling: withDefaults(ropeScaling) }),
    ...(seesAll && { window: undefined, layerTypes: undefined }), // the window covers the whole context
    ...(isPermuted && { ropeLayout }),
    // In the file, the table has a row for each token.
    ...(config.perLayerEmbedding && { perLayerEmbedding: { dim: config.perLayerEmbedding.dim } }),
    ...(config.latent && { numKvHeads: undefined }), // not used with latent attention
    // Coefficients are clamped on export.
    ...(config.altUp && {
      altUp: { ...config.altUp, coefficientLimit: undefined, active: config.altUp.active ?? 0 },
    }),
    ...(config.positions !== "rotary" && { ropeLayout: undefined, ropeBase: undefined }),
    ...Object.fromEntries(folded.map((field) => [field, undefined])),
    ...(experts && { experts: { ...experts, hiddenDim: width === config.hiddenDim ? undefined : width } }),
    // If all layers have experts, the hidden width of the model is not stored.
    ...(experts &&
      !hasDenseLayer(config) && {
        hiddenDim: undefined,
        experts: { ...experts, hiddenDim: width ?? config.hiddenDim },
      }),
  }) as Partial<DecoderConfig>;
}

const hasDenseLayer = (config: DecoderConfig): boolean =>
  Array.from({ length: config.numLayers }, (_, i) => i).some(
    (i) => config.feedForwardLayers?.[i] !== false && !hasExperts(config, i),
  );

const withDefaults = (scaling: RopeScalingConfig): RopeScalingConfig =>
  scaling.type === "yarn" ? { betaFast: 32, betaSlow: 1, truncate: true, ...scaling } : scaling;

function inFloat32(value: unknown): unknown {
  if (typeof value === "number") return Math.fround(value);
  if (Array.isArray(value)) return value.map(inFloat32);
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype)
    return value;
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, inFloat32(field)]));
}

function valueText(value: unknown): string {
  if (value === undefined) return "nothing";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function biasDifferences(rules: GgufBiases, config: DecoderConfig, params: DecoderParams): Violation[] {
  const { queryKeyValue, attentionOutput, feedForward } = storedBiases(config, params);
  const hasBias: Required<Record<keyof GgufBiases, boolean>> = {
    queryKeyValue,
    attentionOutput,
    feedForward,
    norms: params.norm.bias !== undefined,
    output: (params.output as { bias?: unknown } | undefined)?.bias !== undefined,
  };
  return (Object.keys(hasBias) as (keyof GgufBiases)[]).flatMap((map) => {
    const rule: Presence = rules[map] ?? false;
    if (rule === "either" || rule === hasBias[map]) return [];
    return [{ argument: `config.bias.${map}`, received: hasBias[map], expected: String(rule) }];
  });
}

function isApplied(scalings: GgufArchitecture["scalings"], given: RopeScalingConfig): boolean {
  const scaling = withDefaults(given);
  if (!scalings.includes(scaling.type)) return false;
  if (scaling.type !== "yarn") return true;
  return scaling.betaFast === 32 && scaling.betaSlow === 1;
}
