import { ArgumentError } from "@qkv/core";

/** A parsed `config.json`. */
export type Config = Readonly<Record<string, unknown>>;

/** Names of each size in configurations and tables of shapes, in order of preference. */
const aliases = {
  layers: [
    "num_hidden_layers",
    "n_layer",
    "n_layers",
    "num_layers",
    "encoder_layers",
    "encoder_num_hidden_layers",
  ],
  width: ["hidden_size", "n_embd", "d_model", "n_embed", "dim"],
  heads: [
    "num_attention_heads",
    "n_head",
    "n_heads",
    "num_heads",
    "encoder_attention_heads",
    "encoder_num_attention_heads",
  ],
  kvHeads: [
    "num_key_value_heads",
    "num_kv_heads",
    "n_kv_heads",
    "multi_query_group_num",
    "encoder_num_key_value_heads",
  ],
  headDim: ["head_dim", "d_kv", "kv_channels"],
  hidden: [
    "intermediate_size",
    "n_inner",
    "d_ff",
    "ffn_dim",
    "ffn_hidden_size",
    "dim_ffn",
    "hidden_dim",
    "encoder_ffn_dim",
  ],
  vocabulary: ["vocab_size"],
  positions: [
    "max_position_embeddings",
    "n_positions",
    "max_positions",
    "max_sequence_length",
    "max_seq_len",
    "seq_length",
    "max_target_positions",
  ],
  experts: ["num_local_experts", "n_routed_experts", "num_experts", "n_experts", "moe_num_experts"],
  expertsPerToken: ["num_experts_per_tok", "n_experts_per_token", "moe_topk", "moe_k"],
  expertHidden: ["moe_intermediate_size", "moe_d_ff"],
  sharedExperts: ["n_shared_experts", "moe_num_shared_experts", "num_shared_experts"],
  denseLayers: ["first_k_dense_replace", "n_dense_layers", "num_dense_layers", "moe_layer_start_index"],
  sharedKvLayers: ["num_kv_shared_layers"],
  decoderLayers: ["num_decoder_layers", "decoder_layers", "n_decoder_layers", "decoder_num_hidden_layers"],
  window: ["sliding_window", "window_size", "local_attention"],
} as const;

/** The names of sizes in this package. */
export type Size = keyof typeof aliases;

/**
 * Reads fields of a configuration. An absent field or `null` gives the fallback; without a fallback an error names the
 * field.
 */
export function configFields(config: Config, fn = "readConfig") {
  const findValue = (names: readonly string[]) =>
    names
      .map((name) => ({ name, value: config[name] }))
      .find(({ value }) => value !== undefined && value !== null);
  const number = (names: readonly string[], fallback: number | null | undefined, min: number) => {
    const found = findValue(names);
    if (!found && fallback !== undefined) return fallback;
    const { name, value } = found ?? {
      name: names.find((field) => field in config) ?? names[0]!,
      value: undefined,
    };
    if (typeof value === "number" && Number.isInteger(value) && value >= min) return value;
    throw new ArgumentError({
      fn,
      argument: name,
      received: value ?? config[name],
      expected: `an integer, ${min} or more`,
      fix: `give the model's size under this name${names.length > 1 ? `, or as one of ${names.join(", ")}` : ""}.`,
    });
  };
  const refuse = (argument: string, received: unknown, expected: string): never => {
    const fix = "give the values of a published configuration of this architecture.";
    throw new ArgumentError({ fn, argument, received, expected, fix });
  };
  const size = (name: Size, fallback?: number): number => number(aliases[name], fallback, 1) as number;
  return {
    config,
    /** Refuses a field. */
    refuse,
    /** A size of at least 1. */
    size,
    /** A size, or `null` if the configuration has none. */
    sizeOrNull: (name: Size): number | null => number(aliases[name], null, 1),
    /** A count that may be 0. */
    count: (name: Size, fallback: number): number => number(aliases[name], fallback, 0) as number,
    /** A size by the name of its field, for fields of one architecture. */
    sizeByName: (name: string, fallback?: number): number => number([name], fallback, 1) as number,
    /** A boolean field. */
    flag(name: string, fallback: boolean): boolean {
      const value = config[name];
      return typeof value === "boolean" ? value : fallback;
    },
    /** A number that may be a fraction, such as the rotary fraction of a head. */
    fraction(names: readonly string[], fallback: number): number {
      const value = findValue(names)?.value;
      return typeof value === "number" ? value : fallback;
    },
    /** A list, such as `layer_types`; `null` if it is absent. */
    list(name: string): readonly unknown[] | null {
      const value = config[name];
      return Array.isArray(value) ? (value as unknown[]) : null;
    },
  };
}

export type Fields = ReturnType<typeof configFields>;
