import type { RotaryLayout } from "@qkv/attention";
import type { DecoderConfig } from "../../models/decoder-config.js";
import type { DecoderParams } from "../../models/decoder.js";
import type { RopeScalingConfig } from "../../models/rope-from-config.js";
import { trait, type ConfigEntry } from "../config-entry.js";
import type { StoredTensor } from "../stored-tensor.js";
import { ggufSizes } from "./gguf-keys.js";
import { ggufTensors, type GgufTensorNames } from "./gguf-tensors.js";

/** Presence of optional tensors in files: always, never, or in some. */
export type Presence = boolean | "either";

/** Biases that an architecture of llama.cpp reads. Default: none. */
export type GgufBiases = {
  queryKeyValue?: Presence;
  attentionOutput?: Presence;
  feedForward?: Presence;
  /** Biases of layer norms. */
  norms?: Presence;
  /** The bias of the output projection. */
  output?: Presence;
};

/** An unsupported option: its name, its value, and the value that llama.cpp supports. */
export type GgufRefusal = { argument: string; received: unknown; expected: string };

/** Refuses grouped-query attention: fewer key-value heads than query heads. */
export const refuseGroupedQuery = ({ numHeads, numKvHeads }: DecoderConfig): GgufRefusal | undefined =>
  numHeads === numKvHeads
    ? undefined
    : { argument: "config.numKvHeads", received: numKvHeads, expected: `as many as heads, ${numHeads}` };

/**
 * An architecture of llama.cpp: a table that maps metadata keys of a GGUF file to a `DecoderConfig`, and its tensors to
 * `DecoderParams`. Loading and exporting use the same table.
 */
export type GgufArchitecture = {
  /** As in `general.architecture`. */
  readonly name: string;
  /** The rotary layout. Queries and keys of a model with the other layout are permuted on export. */
  readonly ropeLayout: RotaryLayout;
  /** Entries for metadata keys, without the architecture prefix. */
  config(): readonly ConfigEntry[];
  tensors(config: DecoderConfig, tied: boolean): readonly StoredTensor[];
  /** Metadata keys with one number per layer. They are read as tensors `blk.0.KEY` of shape `[1]`. */
  readonly layerNumbers: readonly string[];
  readonly biases: GgufBiases;
  /** `tied`: the output projection is always the embedding matrix. `separate`: files always have an output projection. Default: either. */
  readonly output: "tied" | "separate" | "either";
  /** True if the head dimension may differ from width over number of heads. Default false. */
  readonly freeHeads: boolean;
  /** True if RoPE may rotate a part of each head. Default false: it rotates all dimensions. */
  readonly partialRotary: boolean;
  /** Supported types of RoPE scaling. */
  readonly scalings: readonly RopeScalingConfig["type"][];
  /** Tensors whose presence in a layer is information that no key has; entries read it with `layersWith`. Default: none. */
  readonly presence: readonly string[];
  /** Configuration fields that are folded into tensors on export, so that a loaded file does not have them. Default: none. */
  readonly folded: readonly (keyof DecoderConfig)[];
  /** A configuration field that only this architecture supports. Default: none. */
  readonly exclusiveField?: keyof DecoderConfig;
  /** Ignored tensors of a configuration: they do not affect the result. Default: none. */
  ignoredTensors?(config: DecoderConfig): RegExp;
  /** Checks for unsupported options that the entries cannot express. Returns undefined if there are none. */
  refuses?(config: DecoderConfig, params: DecoderParams): GgufRefusal | undefined;
};

/** Differences of an architecture from the defaults. */
export type GgufOptions = Partial<
  Pick<
    GgufArchitecture,
    | "layerNumbers"
    | "ropeLayout"
    | "freeHeads"
    | "partialRotary"
    | "biases"
    | "output"
    | "scalings"
    | "refuses"
    | "ignoredTensors"
    | "exclusiveField"
    | "presence"
  >
> & {
  /** Options of all models of the architecture, which are not in the metadata. */
  traits?: Partial<DecoderConfig>;
  /** Entries for heads. Default: number of key-value heads, and one head dimension for keys and values. */
  heads?: readonly ConfigEntry[];
  /** Entries for the hidden width. Default: one key for all layers. */
  widths?: readonly ConfigEntry[];
  /** Further entries, read after the sizes. */
  keys?: readonly ConfigEntry[];
  /** Names and layouts of tensors that differ from the defaults. */
  names?: GgufTensorNames;
  /** All entries for tensors, in place of the defaults. */
  tensors?: GgufArchitecture["tensors"];
};

/**
 * An architecture of llama.cpp, from defaults for keys and tensor names and the options that differ.
 *
 * @param name - As in `general.architecture`.
 */
export function gguf(name: string, options: GgufOptions = {}): GgufArchitecture {
  const { ropeLayout = "half", traits = {}, keys = [], names = {}, biases = {} } = options;
  const { freeHeads = false, partialRotary = false, layerNumbers = [] } = options;
  const {
    output = "either",
    scalings = ["linear", "yarn"],
    presence = [],
    refuses,
    ignoredTensors,
    exclusiveField,
  } = options;
  const architectureTraits: Partial<DecoderConfig> = {
    activation: "silu",
    ...((traits.positions ?? "rotary") === "rotary" && { ropeLayout }),
    ...traits,
  };
  return {
    name,
    ropeLayout,
    freeHeads,
    partialRotary,
    layerNumbers,
    biases,
    output,
    scalings,
    presence,
    folded: names.scaledTables ? ["embeddingScale", "logitScale"] : [],
    ...(refuses && { refuses }),
    ...(ignoredTensors && { ignoredTensors }),
    ...(exclusiveField && { exclusiveField }),
    config: () => [trait(architectureTraits), ...ggufSizes(architectureTraits, options), ...keys],
    tensors:
      options.tensors ??
      ((config, tied) =>
        ggufTensors(config, { tied, ropeLayout, separateOutput: output === "separate", ...names })),
  };
}
