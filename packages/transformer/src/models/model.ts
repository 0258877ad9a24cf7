import type { Tokenizer } from "@qkv/tokenizer";
import type { CrossDecoder, CrossDecoderConfig, CrossDecoderParams } from "./cross-decoder.js";
import type { DecoderConfig } from "./decoder-config.js";
import type { Decoder, DecoderParams } from "./decoder.js";
import type { ImageProcessor } from "../images/image-processor.js";
import type { DualEncoder, DualEncoderConfig, DualEncoderParams } from "./dual-encoder.js";
import type { Encoder, EncoderConfig, EncoderParams } from "./encoder.js";
import type { EncoderDecoder, EncoderDecoderConfig, EncoderDecoderParams } from "./encoder-decoder.js";
import type { QuantizationReport } from "./quantization-report.js";
import type { SpeechModel } from "./speech-model.js";
import type { SentenceConfig } from "./sentence-config.js";
import type {
  VisionTransformer,
  VisionTransformerConfig,
  VisionTransformerParams,
} from "./vision-transformer.js";

/** A decoder with its weights and its tokenizer. */
export type Model = {
  /** Given by the loaders; a model of your own may leave it out. */
  readonly kind?: "decoder";
  readonly config: DecoderConfig;
  readonly params: DecoderParams;
  /** Undefined without a tokenizer: such a model works with ids. */
  readonly tokenizer: Tokenizer | undefined;
  /** Token ids to logits `[B, T, V]`, with any params of the same shapes. */
  readonly apply: Decoder["apply"];
  /** Modules and prompts for `embed`, from a sentence-transformers folder. */
  readonly sentence?: SentenceConfig;
  /** With the option `quantize`: the quantization error of each matrix. */
  readonly quantization?: QuantizationReport;
};

/** An encoder with its weights and its tokenizer. */
export type EncoderModel = {
  /** Given by the loaders; a model of your own may leave it out. */
  readonly kind?: "encoder";
  readonly config: EncoderConfig;
  readonly params: EncoderParams;
  readonly tokenizer: Tokenizer | undefined;
  /** Token ids to rows `[B, T, C]`, with any params of the same shapes. */
  readonly apply: Encoder["apply"];
  /** Modules and prompts for `embed`, from a sentence-transformers folder. */
  readonly sentence?: SentenceConfig;
  /** Rows to logits of masked tokens. */
  readonly maskedTokenLogits: Encoder["maskedTokenLogits"];
  /** With the option `quantize`: the quantization error of each matrix. */
  readonly quantization?: QuantizationReport;
};

/** A decoder with cross-attention, its params and its tokenizer, for any encoder. */
export type CrossDecoderModel = {
  readonly config: CrossDecoderConfig;
  readonly params: CrossDecoderParams;
  readonly tokenizer: Tokenizer | undefined;
  /** Decoder ids to logits `[B, T, V]`, with any params of the same shapes. */
  readonly apply: CrossDecoder["apply"];
};

/** An encoder–decoder with its weights and its tokenizer. */
export type EncoderDecoderModel = {
  /** Given by the loaders; a model of your own may leave it out. */
  readonly kind?: "encoder-decoder";
  readonly config: EncoderDecoderConfig;
  readonly params: EncoderDecoderParams;
  readonly tokenizer: Tokenizer | undefined;
  /** Encodes a source, with any params of the same shapes. */
  readonly encode: EncoderDecoder["encode"];
  /** Decoder ids to logits `[B, T, V]`, with any params of the same shapes. */
  readonly apply: EncoderDecoder["apply"];
  /** With the option `quantize`: the quantization error of each matrix. */
  readonly quantization?: QuantizationReport;
};

/** A text model. */
export type TextModel = Model | EncoderModel | EncoderDecoderModel;

/** A model that generates text: a decoder or an encoder–decoder. */
export type GenerativeModel = Model | CrossDecoderModel;

/** A vision transformer with its weights and its processor. */
export type VisionModel = {
  /** Given by the loaders; a model of your own may leave it out. */
  readonly kind?: "vision";
  readonly config: VisionTransformerConfig;
  readonly params: VisionTransformerParams;
  /** Undefined: the model has no text input. */
  readonly tokenizer: undefined;
  /** Undefined if the folder has none: such a model takes pixel values. */
  readonly processor?: ImageProcessor;
  /** Pixel values to rows `[B, T, C]`, with any params of the same shapes. */
  readonly apply: VisionTransformer["apply"];
  /** Pools rows to one vector per image, `[B, C]`. */
  readonly pool: VisionTransformer["pool"];
  /** With the option `quantize`: the quantization error of each matrix. */
  readonly quantization?: QuantizationReport;
};

/** A dual encoder for texts and images, with its params, tokenizer and image processor. */
export type DualEncoderModel = {
  /** Given by the loaders; a model of your own may leave it out. */
  readonly kind?: "dual-encoder";
  readonly config: DualEncoderConfig;
  readonly params: DualEncoderParams;
  readonly tokenizer: Tokenizer | undefined;
  /** Undefined if the folder has none: such a model takes pixel values. */
  readonly processor?: ImageProcessor;
  /** Token ids to vectors of norm 1, `[B, P]`. */
  readonly embedTexts: DualEncoder["embedTexts"];
  /** Pixel values to vectors of norm 1, `[B, P]`. */
  readonly embedImages: DualEncoder["embedImages"];
  /** Vectors of images and of texts to logits `[images, texts]`. */
  readonly logits: DualEncoder["logits"];
  /** With the option `quantize`: the quantization error of each matrix. */
  readonly quantization?: QuantizationReport;
};

/** An image model. */
export type ImageModel = VisionModel | DualEncoderModel;

/** A model of any kind. */
export type AnyModel = TextModel | ImageModel | SpeechModel;

/** The kind of a model. */
export type ModelKind = NonNullable<AnyModel["kind"]>;

/** A model of any kind, as returned by `loadAny`. Its `kind` narrows the type: `if (model.kind === "encoder")`. */
export type ModelWithKind = AnyModel & { readonly kind: ModelKind };
