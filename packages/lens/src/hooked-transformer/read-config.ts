import { describeValue, nearestName, type Checks } from "@qkv/core";
import type { DecoderConfig } from "@qkv/transformer";
import { hookedActivations, type HookedTransformerConfig } from "./hooked-config.js";

/** A configuration of TransformerLens as a decoder configuration. */
export type ReadConfig = {
  readonly config: DecoderConfig;
  /** Number of outputs: rows of the unembedding. */
  readonly numOutputs: number;
  /** False if gains of norms are folded into the following weights, or there are no norms. */
  readonly normsHaveWeights: boolean;
  /** True if only queries and keys read positions: Shortformer. */
  readonly positionsOutsideStream: boolean;
};

/** Fields that do not affect the computation. */
const withoutEffect = new Set(
  [
    "model_name original_architecture from_checkpoint checkpoint_index checkpoint_label_type checkpoint_value",
    "tokenizer_name tokenizer_prepends_bos default_prepend_bos decoder_start_token_id trust_remote_code",
    "use_attn_result use_split_qkv_input use_hook_mlp_in use_attn_in use_hook_tokens",
    "ungroup_grouped_query_attention tie_word_embeddings init_mode init_weights initializer_range seed",
    "device n_devices dtype n_params use_attn_scale relative_attention_max_distance",
    "relative_attention_num_buckets NTK_by_parts_low_freq_factor NTK_by_parts_high_freq_factor",
    "NTK_by_parts_factor NTK_original_ctx_len experts_per_token norm_topk_prob",
  ].flatMap((line) => line.split(" ")),
);

/**
 * Fields of unsupported features, with the values that are accepted because they disable the feature. null and a missing
 * field are always accepted.
 */
const unsupported: Readonly<Record<string, readonly unknown[]>> = {
  scale_attn_by_inverse_layer_idx: [false],
  use_qk_norm: [false],
  num_experts: [],
  load_in_4bit: [false],
  use_NTK_by_parts_rope: [false],
  use_yarn_rope: [false],
  rotary_scaling_factor: [1],
  rotary_base_local: [],
};

/**
 * Reads a configuration of TransformerLens.
 *
 * @throws {ArgumentError} If a field is missing, unknown, or of an unsupported feature.
 */
export function readConfig(
  check: Checks,
  cfg: Readonly<Record<string, unknown>>,
  { maxLayers }: { maxLayers: number },
): ReadConfig {
  const known = new Set<string>(["normalization_type"]);
  /** The value of a field; undefined if it is absent or null. */
  const field = (name: keyof HookedTransformerConfig): unknown => {
    known.add(name);
    return cfg[name] ?? undefined;
  };
  const refuse = (name: string, expected: string, fix: string): never =>
    check.refuse({ argument: `cfg.${name}`, received: cfg[name], expected, fix });
  const refuseValue = (name: string, expected: string): never =>
    refuse(
      name,
      expected,
      `qkv does not implement \`${name}: ${describeValue(cfg[name])}\` of TransformerLens. Take a model with a supported value.`,
    );
  /** An integer. A missing field, null and -1 mean the default. */
  const whole = (name: keyof HookedTransformerConfig, fallback?: number, min = 1): number => {
    const given = field(name);
    const value = given === undefined || given === -1 ? fallback : given;
    const isCount = Number.isSafeInteger(value) && (value as number) >= min;
    return isCount
      ? (value as number)
      : refuse(name, `an integer, ${min} or more`, "take the configuration of the model.");
  };
  const positive = (name: keyof HookedTransformerConfig, fallback?: number): number | undefined => {
    const given = field(name);
    if (given === undefined || given === -1) return fallback;
    const isPositive = Number.isFinite(given) && (given as number) > 0;
    return isPositive ? (given as number) : refuse(name, "a number above 0", "leave it out for the default.");
  };
  const flag = (name: keyof HookedTransformerConfig, fallback = false): boolean => {
    const value = field(name) ?? fallback;
    return typeof value === "boolean"
      ? value
      : refuse(name, "true or false", "leave it out for the default.");
  };
  const oneOf = <T extends string>(
    name: keyof HookedTransformerConfig,
    names: readonly T[],
    fallback?: T,
  ): T => {
    const value = field(name) ?? fallback;
    if (names.includes(value as T)) return value as T;
    const expected = `one of ${names.join(", ")}`;
    return value === undefined
      ? refuse(name, expected, "take the configuration of the model.")
      : refuseValue(name, expected);
  };

  for (const [name, values] of Object.entries(unsupported)) {
    known.add(name);
    const value = cfg[name] ?? undefined;
    if (value === undefined || values.includes(value)) continue;
    refuseValue(name, values.length === 0 ? "none" : String(values[0]));
  }

  const [embedDim, headDim, numLayers] = [whole("d_model"), whole("d_head"), whole("n_layers", undefined, 0)];
  if (numLayers > maxLayers)
    refuse(
      "n_layers",
      `at most ${maxLayers}, the number of tensors in the file`,
      "give the `cfg` of this file.",
    );
  const numHeads = whole("n_heads", Math.floor(embedDim / headDim));
  const numKvHeads = whole("n_key_value_heads", numHeads);
  const vocabSize = whole("d_vocab");
  const attentionOnly = flag("attn_only");
  const hiddenDim = attentionOnly ? embedDim : whole("d_mlp", 4 * embedDim);
  known.add("d_mlp").add("act_fn").add("gated_mlp");
  const act = attentionOnly
    ? "relu"
    : oneOf("act_fn", Object.keys(hookedActivations) as (keyof typeof hookedActivations)[]);
  const gated = !attentionOnly && flag("gated_mlp");

  const kinds = ["LN", "LNPre", "RMS", "RMSPre"] as const;
  const hasNorms = cfg["normalization_type"] !== null;
  const kind = hasNorms ? oneOf("normalization_type", kinds, "LN") : undefined;
  const norm = kind === undefined ? "none" : kind.startsWith("LN") ? "layer" : "rms";
  known.add("final_rms");
  if (cfg["final_rms"] === true && norm === "layer")
    refuseValue("final_rms", "false, as the other norms are layer norms");

  const positionTypes = ["standard", "rotary", "alibi", "shortformer"] as const;
  const positionType = oneOf("positional_embedding_type", positionTypes, "standard");
  const positionsOutsideStream = positionType === "shortformer";
  if (positionsOutsideStream && hasNorms) {
    const expected =
      "one of standard, rotary, alibi, or shortformer without norms (`normalization_type` null)";
    refuseValue("positional_embedding_type", expected);
  }
  const rotary = {
    ropeDim: whole("rotary_dim", headDim),
    ropeBase: positive("rotary_base", 10000)!,
    ropeLayout: flag("rotary_adjacent_pairs") ? "interleaved" : "half",
  } as const;
  const scale = positive("attn_scale", Math.sqrt(headDim))!;
  const divisor = flag("use_attn_scale", true) ? scale : 1; // of scores
  const [attentionSoftcap, logitSoftcap] = [
    positive("attn_scores_soft_cap"),
    positive("output_logits_soft_cap"),
  ];
  const bidirectional = oneOf("attention_dir", ["causal", "bidirectional"], "causal") === "bidirectional";
  const parallel = flag("parallel_attn_mlp") && !attentionOnly;
  const normsOnBothSides = flag("use_normalization_before_and_after");
  if (parallel && normsOnBothSides)
    refuse(
      "parallel_attn_mlp",
      "false, beside use_normalization_before_and_after",
      "set either `parallel_attn_mlp` or `use_normalization_before_and_after`, not both.",
    );
  const local = localLayers();

  /** Layers with a window. */
  function localLayers(): Pick<DecoderConfig, "layerTypes" | "window"> {
    known.add("attn_types").add("window_size");
    if (!flag("use_local_attn")) return {};
    const types = field("attn_types");
    const isList =
      Array.isArray(types) &&
      types.length === numLayers &&
      types.every((type) => type === "global" || type === "local");
    if (!isList)
      refuse("attn_types", `"global" or "local" for each of the ${numLayers} layers`, "name every layer.");
    if (bidirectional) refuseValue("use_local_attn", "false, as attention_dir is bidirectional");
    return {
      layerTypes: (types as string[]).map((type) => (type === "local" ? "sliding" : "full")),
      window: whole("window_size"),
    };
  }

  const config: DecoderConfig = {
    ...{ vocabSize, embedDim, hiddenDim, numLayers, numHeads, numKvHeads, headDim },
    contextLength: whole("n_ctx"),
    stopIds: [],
    norm,
    normEps: positive("eps", 1e-5)!,
    activation: hookedActivations[act],
    gated,
    bias: { queryKeyValue: true, attentionOutput: true, feedForward: true },
    positions: positionType === "rotary" || positionType === "alibi" ? positionType : "learned",
    ...(positionType === "rotary" && rotary),
    ...(Math.abs(divisor - Math.sqrt(headDim)) > 1e-6 * divisor && { attentionScale: 1 / divisor }),
    ...(attentionSoftcap !== undefined && { attentionSoftcap }),
    ...(logitSoftcap !== undefined && { logitSoftcap }),
    ...(attentionOnly && { feedForwardLayers: new Array<boolean>(numLayers).fill(false) }),
    ...(bidirectional && { bidirectional }),
    ...(parallel && { placement: "parallel" }),
    ...(normsOnBothSides && { placement: "both" }),
    ...(flag("post_embedding_ln") && { embeddingNorm: true }),
    ...local,
  };
  const numOutputs = whole("d_vocab_out", vocabSize);
  const unknownName = Object.keys(cfg).find(
    (name) =>
      !known.has(name) && !withoutEffect.has(name) && ![null, undefined, false].includes(cfg[name] as never),
  );
  if (unknownName !== undefined) {
    const nearest = nearestName(unknownName, [...known, ...withoutEffect]);
    const fix = nearest
      ? `did you mean \`${nearest}\`?`
      : "leave it out, if the model computes nothing with it.";
    refuse(unknownName, "a field of HookedTransformerConfig", fix);
  }
  return { config, numOutputs, normsHaveWeights: kind === "LN" || kind === "RMS", positionsOutsideStream };
}
