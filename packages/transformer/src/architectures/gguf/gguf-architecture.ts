import type { RotaryLayout } from "@qkv/attention";
import type { DecoderConfig } from "../../models/decoder-config.js";
import type { DecoderParams } from "../../models/decoder.js";
import type { RopeScalingConfig } from "../../models/rope-from-config.js";
import { trait, type ConfigEntry } from "../config-entry.js";
import type { StoredTensor } from "../stored-tensor.js";
import { ggufSizes } from "./gguf-keys.js";
import { ggufTensors, type GgufTensorNames } from "./gguf-tensors.js";

/** Tells if tensors are in a file: always, never, or in some. */
export type Presence = boolean | "either";

/** Biases that an architecture of llama.cpp reads. Default: none. */
export type GgufBiases = {
  queryKeyValue?: Presence;
  attentionOutput?: Presence;
  feedForward?: Presence;
  /** Shifts of layer norms. */
  norms?: Presence;
  /** The bias of the output map. */
  output?: Presence;
};

/** An argument of a model, its value, and what llama.cpp has in its place. */
export type GgufRefusal = { argument: string; received: unknown; expected: string };

/** Refuses fewer key-value heads than heads. */
export const asManyHeads = ({ numHeads, numKvHeads }: DecoderConfig): GgufRefusal | undefined =>
  numHeads === numKvHeads
    ? undefined
    : { argument: "config.numKvHeads", received: numKvHeads, expected: `as many as heads, ${numHeads}` };

/**
 * An architecture as llama.cpp has it: keys of a GGUF file's metadata beside our configuration, and names of its tensors
 * beside our params. Loading and exporting read the same table.
 */
export type GgufArchitecture = {
  /** As in `general.architecture`. */
  readonly name: string;
  /** The layout of rotated pairs; queries and keys of the other one are permuted as they are written. */
  readonly ropeLayout: RotaryLayout;
  /** Entries of the metadata, by their keys after the name of the architecture. */
  config(): readonly ConfigEntry[];
  tensors(config: DecoderConfig, tied: boolean): readonly StoredTensor[];
  /** Keys of the metadata with a number of each layer, which tensors `blk.0.KEY` of one number stand for. */
  readonly layerNumbers: readonly string[];
  readonly biases: GgufBiases;
  /** `tied`: logits are always made with the embedding. `own`: a file always has the output map. Default: either. */
  readonly output: "tied" | "own" | "either";
  /** Heads may be of another size than width over heads. Default false. */
  readonly freeHeads: boolean;
  /** A part of the numbers of a head may rotate. Default false: all do. */
  readonly partialRotary: boolean;
  /** Scalings of rotary frequencies that are applied. */
  readonly scalings: readonly RopeScalingConfig["type"][];
  /** Stems of tensors whose presence in a layer says what no key does, as entries read it with `layersWith`. Default: none. */
  readonly presence: readonly string[];
  /** Fields that tensors take in as they are written, so that a file's configuration has them no more. Default: none. */
  readonly folded: readonly (keyof DecoderConfig)[];
  /** A field that no other architecture has. Default: none. */
  readonly alone?: keyof DecoderConfig;
  /** Names of tensors that change nothing, of a configuration. Default: none. */
  ignoredTensors?(config: DecoderConfig): RegExp;
  /** Refuses a trait that no field of this table tells; undefined: nothing is refused. */
  refuses?(config: DecoderConfig, params: DecoderParams): GgufRefusal | undefined;
};

/** Differences of an architecture from the general form. */
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
    | "alone"
    | "presence"
  >
> & {
  /** Traits that the architecture always has, and no key says. */
  traits?: Partial<DecoderConfig>;
  /** Entries of heads' sizes. Default: key-value heads, keys and values of one length. */
  heads?: readonly ConfigEntry[];
  /** Entries of the width of feed-forward layers. Default: one key for all layers. */
  widths?: readonly ConfigEntry[];
  /** Entries after those of sizes. */
  keys?: readonly ConfigEntry[];
  /** Names and layouts of tensors that differ from the general ones. */
  names?: GgufTensorNames;
  /** Entries in place of all general ones of tensors. */
  tensors?: GgufArchitecture["tensors"];
};

/**
 * An architecture of llama.cpp. Keys and names follow from our configuration and params; an entry says what differs.
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
    alone,
  } = options;
  const own: Partial<DecoderConfig> = {
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
    ...(alone && { alone }),
    config: () => [trait(own), ...ggufSizes(own, options), ...keys],
    tensors:
      options.tensors ??
      ((config, tied) => ggufTensors(config, { tied, ropeLayout, ownOutput: output === "own", ...names })),
  };
}
