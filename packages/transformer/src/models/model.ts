import type { Tokenizer } from "@qkv/tokenizer";
import type { DecoderConfig } from "./decoder-config.js";
import type { Decoder, DecoderParams } from "./decoder.js";
import type { Encoder, EncoderConfig, EncoderParams } from "./encoder.js";
import type { SentenceConfig } from "./sentence-config.js";

/** Errors and sizes of a quantized model. */
export type QuantizationReport = {
  /** Of each matrix, by its path: the length of what rounding changed, over the length of the matrix. */
  errors: Record<string, number>;
  /** Bytes of all params before and after. */
  bytesBefore: number;
  bytesAfter: number;
};

/** A decoder with its weights and its tokenizer. */
export type Model = {
  readonly config: DecoderConfig;
  readonly params: DecoderParams;
  /** Undefined where none was given: such a model takes and gives ids. */
  readonly tokenizer: Tokenizer | undefined;
  /** Token ids to logits `[B, T, V]`, with any params of this shape. */
  readonly apply: Decoder["apply"];
  /** Steps and prompts of `embed`, of a folder of sentence-transformers. */
  readonly sentence?: SentenceConfig;
  /** With the option `quantize`: how far rounding moved each matrix. */
  readonly quantization?: QuantizationReport;
};

/** An encoder with its weights and its tokenizer. */
export type EncoderModel = {
  readonly config: EncoderConfig;
  readonly params: EncoderParams;
  readonly tokenizer: Tokenizer | undefined;
  /** Token ids to rows `[B, T, C]`, with any params of this shape. */
  readonly apply: Encoder["apply"];
  /** Steps and prompts of `embed`, of a folder of sentence-transformers. */
  readonly sentence?: SentenceConfig;
  /** Rows to logits of masked tokens. */
  readonly maskedTokenLogits: Encoder["maskedTokenLogits"];
};
