import { writeSafetensorsHeader } from "@qkv/core";
import { tokenizerToJson, type Tokenizer } from "@qkv/tokenizer";
import { architectureDecoder, canRepresent } from "./architecture-decoder.js";
import { architectures } from "../architectures/architectures.js";
import type { DecoderConfig } from "../models/decoder-config.js";
import type { DecoderParams } from "../models/decoder.js";
import type { ImageProcessor } from "../images/image-processor.js";
import type { DualEncoderConfig, DualEncoderParams } from "../models/dual-encoder.js";
import type { EncoderConfig, EncoderParams } from "../models/encoder.js";
import type { VisionTransformerConfig, VisionTransformerParams } from "../models/vision-transformer.js";
import type { EncoderDecoderConfig, EncoderDecoderParams } from "../models/encoder-decoder.js";
import type { ExportPlan } from "./export-plan.js";
import { huggingFaceDecoders } from "./hugging-face-decoders.js";
import { bertCheckpoint } from "./hugging-face-encoder.js";
import { dualEncoderCheckpoint, processorFields, visionCheckpoint } from "./hugging-face-vision.js";
import { featureExtractorFields } from "../audio/feature-extractor-fields.js";
import type { FeatureExtractor } from "../audio/feature-extractor.js";
import { speechTokenFields, type SpeechTokens } from "../models/speech-tokens.js";
import type { SpeechToTextConfig, SpeechToTextParams } from "../models/speech-to-text.js";
import { speechCheckpoint } from "./hugging-face-speech.js";
import { encoderDecoderCheckpoint } from "./hugging-face-encoder-decoder.js";
import {
  matchArchitecture,
  normalizedConfig,
  refuseStackedLayers,
  violations,
} from "./architecture-constraints.js";
import type { OutputFolder } from "./output-folder.js";
import { rowChunks } from "./row-chunks.js";
import { bytesPerStoredElement, storedBytes, type StoredType } from "./stored-numbers.js";
import type { TensorToWrite } from "../architectures/tensor-to-write.js";

/** Tokenizer files of a model to export. */
type Texts = {
  readonly tokenizer?: Tokenizer | undefined;
  /** Chat template, in Jinja. Default: none is written. */
  readonly chatTemplate?: string | undefined;
};

/** A decoder or encoder for the export. */
export type ExportedStack = Texts &
  (
    | { readonly config: DecoderConfig; readonly params: DecoderParams }
    | { readonly config: EncoderConfig; readonly params: EncoderParams }
  );

/** An encoder–decoder for the export. */
export type ExportedEncoderDecoder = Texts & {
  readonly config: EncoderDecoderConfig;
  readonly params: EncoderDecoderParams;
};

/** A model to export: as `load` returns it, or trained params with their configuration. */
export type ExportedModel = ExportedTextModel | ExportedImageModel | ExportedSpeechModel;

/** A text model for the export. */
export type ExportedTextModel = ExportedStack | ExportedEncoderDecoder;

/** Tokenizer and image processor of a model to export. */
type Images = Texts & {
  /** Written as `preprocessor_config.json`. Default: no such file. */
  readonly processor?: Pick<ImageProcessor, "config"> | undefined;
};

/** An image encoder for the export. */
export type ExportedVision = Images & {
  readonly config: VisionTransformerConfig;
  readonly params: VisionTransformerParams;
};

/** An image model for the export. */
export type ExportedImageModel =
  ExportedVision | (Images & { readonly config: DualEncoderConfig; readonly params: DualEncoderParams });

/** A speech model for the export. */
export type ExportedSpeechModel = Texts & {
  readonly config: SpeechToTextConfig;
  readonly params: SpeechToTextParams;
  /** Written as `preprocessor_config.json`. Default: that of the architecture. */
  readonly features?: Pick<FeatureExtractor, "name" | "options"> | undefined;
  /** Written to `generation_config.json`. Default: only start, stop and padding ids. */
  readonly speech?: SpeechTokens | undefined;
};

export type FolderOptions = {
  dtype: StoredType;
  /** Maximum bytes of tensors per file. */
  shardBytes: number;
};

/** A plan for a folder in the format of Hugging Face. */
export function planHuggingFace(model: ExportedModel, options: FolderOptions): ExportPlan {
  const { config, others, tensors } = huggingFaceFiles(model);
  return {
    total: tensors.reduce(
      (sum, { shape }) => sum + shape.reduce((a, b) => a * b, bytesPerStoredElement[options.dtype]),
      0,
    ),
    async write(folder, onWrite) {
      await writeTensors(tensors, folder, { ...options, onWrite });
      for (const [name, content] of Object.entries(others)) await writeText(folder, name, content);
      await writeText(folder, "config.json", formatJson(config));
    },
  };
}

/** Contents of the folder: `config.json`, the other text files, and the tensors. */
export function huggingFaceFiles(model: ExportedModel): {
  config: Readonly<Record<string, unknown>>;
  others: Readonly<Record<string, string>>;
  tensors: readonly TensorToWrite[];
} {
  const { config, tensors, generation, preprocessor } = modelFiles(model);
  return {
    config,
    others: {
      ...(generation && { "generation_config.json": formatJson(generation) }),
      ...(preprocessor && { "preprocessor_config.json": formatJson(preprocessor) }),
      ...(model.tokenizer && {
        "tokenizer.json": formatJson(tokenizerToJson(model.tokenizer)),
        "tokenizer_config.json": formatJson({
          ...tokenizerConfig(model.tokenizer, model),
          chat_template: model.chatTemplate,
        }),
      }),
    },
    tensors,
  };
}

/** Contents of the files of a model, without its tokenizer. */
type ModelFiles = {
  config: Readonly<Record<string, unknown>>;
  tensors: readonly TensorToWrite[];
  generation?: object;
  preprocessor?: object;
};

function modelFiles(model: ExportedModel): ModelFiles {
  if (isImageModel(model)) return imageFiles(model);
  if (isSpeechModel(model)) return speechFiles(model);
  if (isEncoderDecoder(model)) return encoderDecoderFiles(model);
  return isEncoder(model) ? encoderFiles(model) : decoderFiles(model);
}

function encoderDecoderFiles({ config, params }: ExportedEncoderDecoder) {
  const { fields, tensors } = encoderDecoderCheckpoint(config, params);
  return { config: fields, tensors };
}

function speechFiles({ config, params, features, speech }: ExportedSpeechModel): ModelFiles {
  const { fields, tensors, features: defaultFeatures } = speechCheckpoint(config, params);
  const { decoder_start_token_id, eos_token_id, pad_token_id } = fields;
  return {
    config: fields,
    tensors,
    generation: {
      ...{ decoder_start_token_id, eos_token_id, pad_token_id },
      ...(speech && speechTokenFields(speech)),
    },
    preprocessor: (features && featureExtractorFields(features)) ?? defaultFeatures,
  };
}

function decoderFiles({ config: decoderConfig, params }: { config: DecoderConfig; params: DecoderParams }) {
  const config = normalizedConfig(decoderConfig, params);
  const builtIn = huggingFaceDecoders.find(({ constraints }) => violations(config, constraints).length === 0);
  const table = builtIn
    ? undefined
    : architectures.find((candidate) => canRepresent(candidate, config, params));
  if (!builtIn && !table) refuseStackedLayers(config);
  const architecture =
    builtIn ??
    (table
      ? architectureDecoder(table)
      : matchArchitecture(config, huggingFaceDecoders, "Hugging Face's layout"));
  const { stopIds } = config;
  const stopFields = stopIds.length > 0 && { eos_token_id: stopIds.length === 1 ? stopIds[0] : stopIds };
  return {
    config: {
      architectures: [architecture.class],
      model_type: architecture.name,
      ...architecture.fields(config, params),
      ...stopFields,
    },
    generation: { ...stopFields },
    tensors: architecture.tensors(config, params),
  };
}

function encoderFiles({ config, params }: { config: EncoderConfig; params: EncoderParams }) {
  const { fields, tensors } = bertCheckpoint(config, params);
  return { config: fields, tensors };
}

function imageFiles({ config, params, processor }: ExportedImageModel): ModelFiles {
  const { fields, tensors } =
    "text" in config
      ? dualEncoderCheckpoint(config, params as DualEncoderParams)
      : visionCheckpoint(config, params as VisionTransformerParams);
  return { config: fields, tensors, ...(processor && { preprocessor: processorFields(processor.config) }) };
}

/** True for image encoders. */
export const isVision = (model: ExportedModel): model is ExportedVision => "patches" in model.params;

/** True for image models. */
export const isImageModel = (model: ExportedModel): model is ExportedImageModel =>
  isVision(model) || "vision" in model.params;

/** True for speech models. */
export const isSpeechModel = (model: ExportedTextModel | ExportedSpeechModel): model is ExportedSpeechModel =>
  "encoder" in model.params && "convolutions" in model.params.encoder;

export const isEncoderDecoder = (model: ExportedTextModel): model is ExportedEncoderDecoder =>
  "decoder" in model.params;

export function isEncoder(
  model: ExportedStack,
): model is Extract<ExportedStack, { config: EncoderConfig; params: EncoderParams }> {
  return !("norm" in model.params);
}

function tokenizerConfig(tokenizer: Tokenizer, model: ExportedModel): Record<string, unknown> {
  const tokenText = (id: number | undefined) => (id === undefined ? undefined : tokenizer.token(id));
  const first = tokenizer.stages.postProcessor?.single[0];
  const addsBos = first !== undefined && "id" in first && first.id === tokenizer.bosId;
  return {
    tokenizer_class: "PreTrainedTokenizerFast",
    model_max_length: modelMaxLength(model),
    bos_token: tokenText(tokenizer.bosId),
    eos_token: tokenText(tokenizer.eosId),
    // Transformers.js adds the beginning-of-sequence token only if this is true.
    ...(addsBos && isDecoder(model) && { add_bos_token: true }),
    clean_up_tokenization_spaces: false,
  };
}

const isDecoder = (model: ExportedModel): boolean =>
  !isImageModel(model) && !isSpeechModel(model) && !isEncoderDecoder(model) && !isEncoder(model);

/** The context length of a model; undefined for models without text. */
function modelMaxLength({ config }: ExportedModel): number | undefined {
  if ("contextLength" in config) return config.contextLength;
  return "text" in config ? config.text.contextLength : undefined;
}

/** Writes tensors to `model.safetensors`, or to shards with an index if they exceed the maximum size. */
async function writeTensors(
  tensors: readonly TensorToWrite[],
  folder: OutputFolder,
  { dtype, shardBytes, onWrite }: FolderOptions & { onWrite: (bytes: number) => void },
): Promise<void> {
  const byteSize = ({ shape }: TensorToWrite) => shape.reduce((a, b) => a * b, bytesPerStoredElement[dtype]);
  const shards: TensorToWrite[][] = [];
  let bytesLeft = 0;
  for (const tensor of tensors) {
    if (shards.length === 0 || byteSize(tensor) > bytesLeft) {
      shards.push([]);
      bytesLeft = shardBytes;
    }
    shards.at(-1)!.push(tensor);
    bytesLeft -= byteSize(tensor);
  }
  const padded = (n: number) => String(n).padStart(5, "0");
  const shardName = (i: number) =>
    shards.length === 1
      ? "model.safetensors"
      : `model-${padded(i + 1)}-of-${padded(shards.length)}.safetensors`;
  for (const [i, shard] of shards.entries()) {
    const file = await folder.open(shardName(i));
    const entries = shard.map(({ name, shape }) => ({ name, shape, dtype: safetensorsTypes[dtype] }));
    await file.write(writeSafetensorsHeader(entries, { format: "pt" }));
    for (const tensor of shard) {
      for await (const piece of rowChunks(tensor)) {
        const bytes = storedBytes(piece, dtype);
        await file.write(bytes);
        onWrite(bytes.length);
      }
    }
    await file.close();
  }
  if (shards.length === 1) return;
  const index = {
    metadata: { total_size: tensors.reduce((sum, tensor) => sum + byteSize(tensor), 0) },
    weight_map: Object.fromEntries(
      shards.flatMap((shard, i) => shard.map(({ name }) => [name, shardName(i)])),
    ),
  };
  await writeText(folder, "model.safetensors.index.json", formatJson(index));
}

const safetensorsTypes = { float32: "F32", float16: "F16", bfloat16: "BF16" } as const;

export async function writeText(folder: OutputFolder, name: string, content: string): Promise<void> {
  const file = await folder.open(name);
  await file.write(new TextEncoder().encode(content));
  await file.close();
}

export const formatJson = (json: unknown) => `${JSON.stringify(json, null, 2)}\n`;
