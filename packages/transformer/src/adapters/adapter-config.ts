import { checks, FormatError } from "@qkv/core";
import { configFields, type ConfigFields } from "../architectures/config-fields.js";
import type { ReadFile } from "../loading/open-file.js";

/** A LoRA configuration, from PEFT's `adapter_config.json`. */
export type AdapterConfig = {
  /** The rank r of a module's factors. */
  rank(module: string): number;
  /** Scale s of B A: α / r, or α / √r with rsLoRA. */
  scale(module: string): number;
  /** DoRA: rows of the sum have learned magnitudes. */
  readonly hasMagnitudes: boolean;
};

/**
 * Reads the configuration of an adapter. The adapted modules follow from its tensors.
 *
 * @throws {FormatError} If it is not LoRA, or a field enables an unsupported variant.
 *
 * @see "LoRA: Low-Rank Adaptation of Large Language Models" (2021), arXiv:2106.09685; "A Rank Stabilization Scaling Factor
 *   for Fine-Tuning with LoRA" (2023), arXiv:2312.03732; "DoRA: Weight-Decomposed Low-Rank Adaptation" (2024), arXiv:2402.09353
 */
export function adapterConfig(json: unknown, file: ReadFile): AdapterConfig {
  const fields = configFields(json, file);
  const type = fields.text("peft_type");
  if (type !== "LORA") fields.unsupported("peft_type", '"LORA"');
  for (const name of unsupportedFlags) fields.mustBe(name, false);
  for (const name of unsupportedFields)
    if (fields.has(name) && !isEmpty(json, name)) fields.unsupported(name, "null");
  const r = fields.count("r");
  const alpha = fields.positive("lora_alpha");
  const ranks = patterns("rank_pattern", fields, json, file);
  const alphas = patterns("alpha_pattern", fields, json, file);
  const stabilized = fields.flag("use_rslora", false);
  const rank = (module: string) => ranks(module) ?? r;
  const config: AdapterConfig = {
    rank,
    scale: (module) => (alphas(module) ?? alpha) / (stabilized ? Math.sqrt(rank(module)) : rank(module)),
    hasMagnitudes: fields.flag("use_dora", false),
  };
  const { init_lora_weights: init } = json as Record<string, unknown>;
  checks(file.fn, { source: file.name }, FormatError).each(
    { init_lora_weights: init },
    (value) => typeof value !== "string" || initializationsOfFactors.has(value),
    "an initialization that leaves the base as it is, such as true",
    "convert the adapter with PEFT: `save_pretrained(path, path_initial_model_for_weight_conversion=…)`.",
  );
  fields.finish(withoutEffect);
  return config;
}

const isEmpty = (json: unknown, name: string): boolean => {
  const value = (json as Record<string, unknown>)[name];
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
};

/** Fields that enable unsupported variants: flags, and fields with a value. */
const unsupportedFlags = ["use_qalora", "use_bdlora"];
const unsupportedFields = [
  "alora_invocation_tokens",
  "arrow_config",
  "kasa_config",
  "layer_replication",
  "monteclora_config",
  "target_parameters",
  "trainable_token_indices",
  "velora_config",
];

/** Initializations that affect only A and B. PiSSA, OLoRA, CorDA, LoftQ and LoRA-GA also change the matrices of the base. */
const initializationsOfFactors: ReadonlySet<string> = new Set(["gaussian", "eva", "orthogonal"]);

/** Ignored fields: for training, for names that follow from the tensors, for layouts that follow from the base, and for variants that the fields above enable. */
const withoutEffect: ReadonlySet<string> = new Set([
  "auto_mapping",
  "base_model_name_or_path",
  "bias",
  "corda_config",
  "ensure_weight_tying",
  "eva_config",
  "exclude_modules",
  "fan_in_fan_out",
  "inference_mode",
  "init_lora_weights",
  "layers_pattern",
  "layers_to_transform",
  "loftq_config",
  "lora_bias",
  "lora_dropout",
  "lora_ga_config",
  "megatron_config",
  "megatron_core",
  "modules_to_save",
  "peft_version",
  "qalora_group_size",
  "revision",
  "target_modules",
  "task_type",
]);

/** Values for modules whose names end with a key. The first match counts, as in PEFT. */
function patterns(
  field: "rank_pattern" | "alpha_pattern",
  fields: ConfigFields,
  json: unknown,
  file: ReadFile,
): (module: string) => number | undefined {
  const values = (fields.has(field) ? (json as Record<string, unknown>)[field] : {}) as Record<
    string,
    unknown
  >;
  const check = checks(file.fn, { source: file.name }, FormatError);
  for (const [key, value] of Object.entries(values)) {
    if (!/^\^?[\w.]+$/.test(key)) {
      check.refuse({
        argument: `${field}: ${key}`,
        received: key,
        expected: "the end of a module's name",
        fix: "write out the names that the regular expression stands for, in a copy of the file.",
      });
    }
    if (typeof value !== "number" || !(value > 0)) {
      check.refuse({
        argument: `${field}: ${key}`,
        received: value,
        expected: "a number above 0",
        fix: "the file is damaged; fetch the adapter again.",
      });
    }
  }
  const entries = Object.entries(values) as [string, number][];
  return (module) => entries.find(([key]) => fitsPattern(module, key))?.[1];
}

/** True for a module whose name ends in a key of a pattern, or is the key after `^`. */
export const fitsPattern = (module: string, key: string): boolean =>
  key.startsWith("^") ? module === key.slice(1) : module === key || module.endsWith(`.${key}`);
