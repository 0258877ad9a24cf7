import { checks, FormatError, type Checks } from "@qkv/core";
import { adapterConfig, type AdapterConfig } from "./adapter-config.js";

/** The configuration of an adapter, with the field names of PEFT's `LoraConfig` and of `adapter_config.json`. */
export type LoraConfig = {
  /** Rank of the update B · A. Default 8. */
  r?: number;
  /** The update is multiplied by `lora_alpha / r`. Default 8. */
  lora_alpha?: number;
  /**
   * Modules to adapt: suffixes of their names, such as `["q_proj", "v_proj"]`; a regular expression for whole names; or
   * `"all-linear"`, all but the output projection.
   */
  target_modules: string | readonly string[];
  /** Modules that are not adapted, in the same forms. Default: none. */
  exclude_modules?: string | readonly string[] | null;
  /** Indices of the layers to adapt. Default: all. */
  layers_to_transform?: number | readonly number[] | null;
  /** Name of the list of layers in module names, in front of the layer index, such as `layers`. Default: any. */
  layers_pattern?: string | readonly string[] | null;
  /** Ranks by suffix of the module name. Default: `r` for all. */
  rank_pattern?: Readonly<Record<string, number>>;
  /** Values of `lora_alpha` by suffix of the module name. Default: `lora_alpha` for all. */
  alpha_pattern?: Readonly<Record<string, number>>;
  /** Dropout probability of the inputs of A in training. Default 0. */
  lora_dropout?: number;
  /** rsLoRA: the update is multiplied by `lora_alpha / √r`. Default false. */
  use_rslora?: boolean;
  /** DoRA: the norm of each row of an adapted matrix is a parameter. Default false. */
  use_dora?: boolean;
  /** B has a bias. Default false. */
  lora_bias?: boolean;
  /** Biases of the base that are trained: none, or those of adapted modules. Default `"none"`. */
  bias?: "none" | "lora_only";
  /** Modules whose weights are trained and saved in full, by suffixes of their names. Default: none. */
  modules_to_save?: readonly string[] | null;
  /** True: A is uniform; `"gaussian"`: normal. B is 0 in both. False: both are random. Default true. */
  init_lora_weights?: boolean | "gaussian";
  /** Name or path of the base model, recorded for loading the adapter. Default: null. */
  base_model_name_or_path?: string | null;
  /** Default `"CAUSAL_LM"`. */
  task_type?: string | null;
  /** The commit or the branch of the base. Default: null. */
  revision?: string | null;
};

/** Fields of `adapter_config.json` with their defaults, under the names of PEFT 0.20. */
const defaults = {
  alora_invocation_tokens: null,
  alpha_pattern: {},
  arrow_config: null,
  auto_mapping: null,
  base_model_name_or_path: null,
  bias: "none",
  corda_config: null,
  ensure_weight_tying: false,
  eva_config: null,
  exclude_modules: null,
  fan_in_fan_out: false,
  inference_mode: true,
  init_lora_weights: true,
  kasa_config: null,
  layer_replication: null,
  layers_pattern: null,
  layers_to_transform: null,
  loftq_config: {},
  lora_alpha: 8,
  lora_bias: false,
  lora_dropout: 0,
  lora_ga_config: null,
  megatron_config: null,
  megatron_core: "megatron.core",
  modules_to_save: null,
  monteclora_config: null,
  peft_type: "LORA",
  peft_version: "0.20.1",
  qalora_group_size: 16,
  r: 8,
  rank_pattern: {},
  revision: null,
  target_modules: null,
  target_parameters: null,
  task_type: "CAUSAL_LM",
  trainable_token_indices: null,
  use_bdlora: null,
  use_dora: false,
  use_qalora: false,
  use_rslora: false,
  velora_config: null,
} as const;

const names = /* @__PURE__ */ Object.keys({
  r: 0,
  lora_alpha: 0,
  target_modules: 0,
  exclude_modules: 0,
  layers_to_transform: 0,
  layers_pattern: 0,
  rank_pattern: 0,
  alpha_pattern: 0,
  lora_dropout: 0,
  use_rslora: 0,
  use_dora: 0,
  lora_bias: 0,
  bias: 0,
  modules_to_save: 0,
  init_lora_weights: 0,
  base_model_name_or_path: 0,
  task_type: 0,
  revision: 0,
} satisfies Record<keyof LoraConfig, 0>) as (keyof LoraConfig)[];

/** All fields of `adapter_config.json`, and those that the computation reads. */
export type FullConfig = {
  readonly json: Readonly<Record<string, unknown>>;
  readonly maps: AdapterConfig;
  readonly dropout: number;
  readonly hasOffset: boolean;
  readonly init: boolean | "gaussian";
};

/** Validates a configuration and adds the defaults of the other fields. */
export function completeConfig(check: Checks, given: LoraConfig): FullConfig {
  const fields = check.options(given, names, "config");
  const { target_modules: targets, modules_to_save: saved } = fields;
  const isNames = (value: unknown) =>
    typeof value === "string" ||
    (Array.isArray(value) && value.length > 0 && value.every((name) => typeof name === "string"));
  const fix = 'write `target_modules: ["q_proj", "v_proj"]`, or "all-linear".';
  check.each({ "config.target_modules": targets }, isNames, "suffixes of module names, or one string", fix);
  const { exclude_modules: excluded, layers_pattern: pattern, rank_pattern: ranks = {} } = fields;
  const expressions = [
    ["target_modules", targets],
    ["exclude_modules", excluded],
    ...[pattern ?? []].flat().map((text) => ["layers_pattern", text] as const),
  ] as const;
  for (const [name, text] of expressions)
    if (typeof text === "string")
      check.each(
        { [`config.${name}`]: text },
        isExpression,
        "a regular expression",
        "close each bracket, or give a list of names.",
      );
  check.whole(
    Object.fromEntries(Object.entries(ranks).map(([key, rank]) => [`config.rank_pattern: ${key}`, rank])),
    { min: 1 },
  );
  if (saved)
    check.list({ "config.modules_to_save": saved }, "suffixes of names", (name) => typeof name === "string");
  const { bias = "none", init_lora_weights: init = true } = fields;
  check.oneOf(
    { "config.bias": bias },
    ["none", "lora_only"],
    "leave it out: other biases are trained with the base.",
  );
  const isInit = (value: unknown) => typeof value === "boolean" || value === "gaussian";
  check.each({ "config.init_lora_weights": init }, isInit, 'true, false or "gaussian"');
  const layers = fields.layers_to_transform ?? undefined;
  if (layers !== undefined)
    check.list({ "config.layers_to_transform": [layers].flat() }, "layer indices", Number.isSafeInteger);
  return readConfig({ ...defaults, ...fields }, { name: "config", fn: check.fn });
}

function isExpression(text: unknown): boolean {
  try {
    return new RegExp(text as string) instanceof RegExp;
  } catch {
    return false;
  }
}

/** Reads the fields of `adapter_config.json`. */
export function readConfig(json: Record<string, unknown>, file: { name: string; fn: string }): FullConfig {
  const maps = adapterConfig(json, file);
  const { lora_dropout: dropout = 0, lora_bias: hasOffset = false, init_lora_weights: init } = json;
  const check = checks(file.fn, { fix: "make the adapter with PEFT, or leave the field out." }, FormatError);
  check.finite({ [`${file.name}: lora_dropout`]: dropout }, { min: 0, below: 1 });
  check.type({ [`${file.name}: lora_bias`]: hasOffset }, "boolean");
  const isSupported = () => !(maps.hasMagnitudes && hasOffset);
  check.each({ [`${file.name}: lora_bias`]: hasOffset }, isSupported, "false, as `use_dora` is true");
  return {
    ...{ json, maps, dropout: dropout as number, hasOffset: hasOffset === true },
    init: init === false || init === "gaussian" ? init : true,
  };
}
