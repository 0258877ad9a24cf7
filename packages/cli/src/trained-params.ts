import { checks, isQkvError } from "@qkv/core";
import type { Tokenizer } from "@qkv/tokenizer";
import type { DecoderParams, Model } from "@qkv/transformer";
import { lora, saveAdapter, type AdapterParams, type LoraConfig } from "@qkv/transformer/adapters";
import { exportModel } from "@qkv/transformer/export";
import type { TokenModel } from "@qkv/transformer/training";
import type { TrainingFolder } from "./training-folder.js";

/** Trained params of a fine-tuning run. */
export type TrainedParams<P> = {
  /** Initial params of a new run. */
  readonly start: P;
  /** Logits of the model with these params. */
  readonly model: TokenModel<P>;
  /** Saves the params in a format that `qkv generate` and Hugging Face's libraries load. */
  save(folder: TrainingFolder, params: P): Promise<void>;
};

/** Full fine-tuning of all weights. Saves the model and its tokenizer. */
export function allWeights(
  model: Model & { tokenizer: Tokenizer },
  chatTemplate: string | undefined,
): TrainedParams<DecoderParams> {
  const { config, tokenizer } = model;
  return {
    start: model.params,
    model,
    save: (folder, params) =>
      folder.saveFiles((out) => exportModel({ config, params, tokenizer, chatTemplate }, { to: "hf", out })),
  };
}

/** A LoRA adapter. Saves only the adapter, in the format of PEFT. */
export function adapterWeights(model: Model, config: LoraConfig, seed: number): TrainedParams<AdapterParams> {
  const tuned = withFlagNames(() => lora(model, config));
  return {
    start: tuned.init(seed),
    model: tuned,
    save: (folder, params) => folder.saveFiles((out) => saveAdapter(tuned, params, { out })),
  };
}

/** Renames errors of unknown modules to the command's option. */
function withFlagNames<T>(make: () => T): T {
  try {
    return make();
  } catch (cause) {
    if (!isQkvError(cause) || cause.argument !== "config.target_modules") throw cause;
    const { received, expected } = cause;
    const fix = "give ends of names, separated by commas, or all-linear.";
    return checks("qkv").refuse({ argument: "--target-modules", received, expected, fix, cause });
  }
}
