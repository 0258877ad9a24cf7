import type { Kind } from "./case.js";
import { bpeTraining } from "./families/bpe-training.js";
import { models } from "./families/models.js";
import { onnx } from "./families/onnx.js";
import { planner } from "./families/planner.js";
import { tokenizers } from "./families/tokenizers.js";
import { torch } from "./families/torch.js";

/** Every kind of reference data, in the order of the report. */
export const kinds: readonly Kind[] = [onnx, torch, models, tokenizers, bpeTraining, planner];
