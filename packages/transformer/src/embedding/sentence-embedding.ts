import { checks, type Checks } from "@qkv/core";
import { checkTensor, type Tensor } from "@qkv/tensor";
import type { SentenceModule } from "../models/sentence-config.js";

export type SentenceEmbeddingOptions = {
  /** `[B, T]`: 1 or true for tokens, 0 or false for padding. Default: all are tokens. */
  attentionMask?: Tensor;
  /** Number of tokens of a prompt in front of each text. Default 0. */
  promptLength?: number;
  /** Receives the vectors after each module, by module name. Default: none are recorded. */
  trace?: Record<string, Tensor>;
};

/**
 * Computes text embeddings from token rows, by applying modules such as pooling, dense layers and normalization.
 *
 * @param modules - From `loadEncoder` or `load`: `model.sentence.modules`.
 * @param rows - `[B, T, C]`
 * @returns `[B, E]`, where E is the output dimension of the last module.
 *
 * @example
 * ```ts
 * import { tensor } from "@qkv/tensor";
 * import { normalizeModule, poolingModule, sentenceEmbedding } from "@qkv/transformer";
 *
 * const modules = [poolingModule(["mean"]), normalizeModule()];
 * sentenceEmbedding(modules, tensor([[[0, 1], [0, 3]]])).toNested(); // => [[0, 1]]
 * ```
 */
export function sentenceEmbedding(
  modules: readonly SentenceModule[],
  rows: Tensor,
  options?: SentenceEmbeddingOptions,
): Tensor {
  const check: Checks = checks("sentenceEmbedding");
  const {
    attentionMask,
    promptLength = 0,
    trace,
  } = check.options(options, ["attentionMask", "promptLength", "trace"]);
  check.whole({ promptLength }, { min: 0, unit: "tokens" });
  const isModule = (value: unknown) => typeof (value as Partial<SentenceModule> | null)?.apply === "function";
  check.list(
    { modules },
    "modules",
    isModule,
    'give `model.sentence.modules`, or `[poolingModule(["mean"])]`.',
  );
  checkTensor("sentenceEmbedding", "rows", rows);
  return modules.reduce((vectors, module) => {
    const output = module.apply({ vectors, promptLength, ...(attentionMask && { attentionMask }) });
    if (trace) trace[module.name] = output;
    return output;
  }, rows);
}
