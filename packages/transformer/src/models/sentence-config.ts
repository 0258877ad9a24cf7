import type { Tensor } from "@qkv/tensor";

/** Vectors between two modules: those of tokens, then one for each text. */
export type SentenceVectors = {
  /** `[B, T, C]` before pooling, `[B, C]` after it. */
  readonly vectors: Tensor;
  /** `[B, T]`: 1 for tokens, 0 for padding. Absent where all are tokens. */
  readonly attentionMask?: Tensor;
  /** Number of tokens of a prompt in front of each text. */
  readonly promptLength: number;
};

/** One step from rows of tokens to a vector of a text, as `modules.json` of sentence-transformers lists them. */
export type SentenceModule = {
  /** The folder of the module, such as `1_Pooling`. */
  readonly name: string;
  apply(input: SentenceVectors): Tensor;
};

/** The way of a model from rows of tokens to vectors of texts, as a folder of sentence-transformers has it. */
export type SentenceConfig = {
  /** The steps from rows of tokens to vectors of texts. */
  readonly modules: readonly SentenceModule[];
  /** Texts to put in front, by their names: `query`, `document`. */
  readonly prompts: Readonly<Record<string, string>>;
  /** The name of the prompt that is used where none is named. Default: none. */
  readonly defaultPrompt?: string;
  /** The longest text, special tokens included. Unit: tokens. Default: the model's context. */
  readonly maxTokens?: number;
  /** True: texts are read in small letters. Default false. */
  readonly lowerCase?: boolean;
};
