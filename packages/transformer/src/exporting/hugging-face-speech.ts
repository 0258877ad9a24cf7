import { ArgumentError, isQkvError } from "@qkv/core";
import { configFields } from "../architectures/config-fields.js";
import type { SpeechArchitecture } from "../architectures/speech/speech-architecture.js";
import { speechArchitectures } from "../architectures/speech/speech-architectures.js";
import { under, writeStored } from "../architectures/stored-tensor.js";
import type { TensorToWrite } from "../architectures/tensor-to-write.js";
import type { SpeechToTextConfig, SpeechToTextParams } from "../models/speech-to-text.js";
import { isSameStack } from "./same-stack.js";

/** Exports a speech model with the names of the first architecture that can represent its configuration, and its feature extractor. */
export function speechCheckpoint(
  config: SpeechToTextConfig,
  params: SpeechToTextParams,
): { fields: Record<string, unknown>; tensors: TensorToWrite[]; features: object } {
  for (const architecture of speechArchitectures) {
    const type = architecture.modelTypes[0];
    const written = architecture.write(config);
    const read = readBack(architecture, written);
    // In every speech architecture the output projection is the embedding matrix.
    if (!read || params.output || !isSameStack(read.config, config)) continue;
    const path = architecture.prefixes[0]!.replace(/\.$/, "");
    return {
      fields: {
        ...{ architectures: [architecture.class], model_type: type, is_encoder_decoder: true },
        ...written,
        tie_word_embeddings: true,
      },
      tensors: writeStored([under("", path, read.tensors)], params),
      features: read.features,
    };
  }
  throw new ArgumentError({
    fn: "exportModel",
    argument: "config",
    received: "a speech model with traits of no architecture",
    expected: `one as ${speechArchitectures.map(({ modelTypes }) => modelTypes[0]).join(" or ")} has them`,
    fix: "keep the traits of one of these; others have no place in a config.json.",
  });
}

/** Reads the fields that an architecture has written; undefined if it refuses them. */
function readBack(architecture: SpeechArchitecture, fields: object) {
  try {
    return architecture.read(configFields(fields, { name: "config.json", fn: "exportModel" }));
  } catch (error) {
    if (isQkvError(error)) return undefined;
    throw error;
  }
}
