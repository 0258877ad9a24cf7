import type { Kind } from "./case.js";
import { audio } from "./families/audio.js";
import { blt } from "./families/blt.js";
import { bpeTraining } from "./families/bpe-training.js";
import { generation } from "./families/generation.js";
import { hf, hfMore } from "./families/hf.js";
import { images } from "./families/images.js";
import { linear } from "./families/linear.js";
import { lora } from "./families/lora.js";
import { models } from "./families/models.js";
import { onnx } from "./families/onnx.js";
import { planner } from "./families/planner.js";
import { sentenceTransformers } from "./families/sentence-transformers.js";
import { tokenizers } from "./families/tokenizers.js";
import { torch } from "./families/torch.js";
import { torchMore } from "./families/torch-more.js";
import { training } from "./families/training.js";
import { xTransformers } from "./families/x-transformers.js";

/** Kinds of reference data that are computed on a device. */
export const onDevice: readonly Kind[] = [
  onnx,
  torch,
  torchMore,
  linear,
  xTransformers,
  blt,
  audio,
  models,
  generation,
  hf,
  hfMore,
  images,
  lora,
  training,
  sentenceTransformers,
];

/** Kinds that are computed without a device. */
export const elsewhere: readonly Kind[] = [tokenizers, bpeTraining, planner];

/** Every kind of reference data, in the order of the report. */
export const kinds: readonly Kind[] = [...onDevice, ...elsewhere];
