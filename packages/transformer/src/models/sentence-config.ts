import type { Tensor } from "@qkv/tensor";

/** The state between two modules: first token vectors, then one vector per text. */
export type SentenceVectors = {
  /** `[B, T, C]` before pooling, `[B, C]` after it. */
  readonly vectors: Tensor;
  /** `[B, T]`: 1 for tokens, 0 for padding. Absent without padding. */
  readonly attentionMask?: Tensor;
  /** Number of prompt tokens before each text. */
  readonly promptLength: number;
};

/** A module after the model, such as pooling, as listed in `modules.json` of sentence-transformers. */
export type SentenceModule = {
  /** The folder of the module, such as `1_Pooling`. */
  readonly name: string;
  apply(input: SentenceVectors): Tensor;
};

/** Sentence embedding configuration of a sentence-transformers folder. */
export type SentenceConfig = {
  /** The modules from token rows to text vectors, in order. */
  readonly modules: readonly SentenceModule[];
  /** Prompts by name, such as `query` and `document`, which are prepended to texts. */
  readonly prompts: Readonly<Record<string, string>>;
  /** Name of the default prompt. Default: none. */
  readonly defaultPrompt?: string;
  /** Maximum length of a text, including special tokens. Unit: tokens. Default: the model's context. */
  readonly maxTokens?: number;
  /** True: texts are converted to lower case. Default false. */
  readonly lowerCase?: boolean;
};
