import { checks, FormatError, knownNames } from "@qkv/core";
import { architectures } from "../../architectures/architectures.js";
import { encoderDecoderArchitectures } from "../../architectures/encoder-decoders/encoder-decoder-architectures.js";
import { speechArchitectures } from "../../architectures/speech/speech-architectures.js";
import { encoderArchitectures } from "../../architectures/encoders/encoder-architectures.js";
import type { ReadFile } from "../../loading/open-file.js";
import type { Weights } from "../../loading/weights.js";
import { configFields } from "../../architectures/config-fields.js";
import { checkpointsGuide } from "../checkpoints-guide.js";
import { imageLoaders } from "./image-loaders.js";
import { describeDistance, nearestArchitecture } from "./nearest-architecture.js";
import { readArchitecture } from "./read-architecture.js";
import { readEncoder } from "./read-encoder.js";
import { readEncoderDecoder } from "./read-encoder-decoder.js";
import { readSpeech } from "./read-speech.js";
import type { Checkpoint, Family, StorageFormat } from "./family.js";
import { gpt2 } from "./gpt2.js";
import { llama } from "./llama.js";

const families: readonly Family[] = [llama, gpt2];

/**
 * Reads a model from its configuration and its weights in the format of Hugging Face.
 *
 * @param json - The parsed `config.json`.
 * @param file - The file of the configuration, for messages.
 * @param storedAs - Format of the file from which the configuration and the weights come. Default: Hugging Face.
 */
export async function readCheckpoint(
  json: unknown,
  file: ReadFile,
  weights: Weights,
  storedAs: StorageFormat = "hugging-face",
): Promise<Checkpoint> {
  const fields = configFields(json, file);
  const type = fields.text("model_type");
  const encoderDecoder = encoderDecoderArchitectures.find(({ modelTypes }) => modelTypes.includes(type));
  const speech = speechArchitectures.find(({ modelTypes }) => modelTypes.includes(type));
  // Fields that would change the result in any architecture.
  fields.mustBe("is_encoder_decoder", encoderDecoder !== undefined || speech !== undefined);
  for (const name of ["add_cross_attention", "tie_encoder_decoder"]) fields.mustBe(name, false);
  fields.nested("pruned_heads"); // must be empty
  if (encoderDecoder) return readEncoderDecoder(encoderDecoder, type, fields, weights);
  if (speech) return readSpeech(speech, fields, weights);
  const family = families.find(({ modelTypes }) => modelTypes.includes(type));
  if (family) {
    const read = await family.read(type, fields, weights, storedAs);
    return read.kind === "decoder"
      ? { ...read, config: { ...read.config, checkpoint: { modelType: type } } }
      : read;
  }
  const encoder = encoderArchitectures.find(({ modelTypes }) => modelTypes.includes(type));
  if (encoder) return readEncoder(encoder, type, fields, weights);
  const architecture = architectures.find(({ modelTypes }) => modelTypes.includes(type));
  if (architecture) return readArchitecture(architecture, fields, weights);
  const check = checks(file.fn, { source: file.name }, FormatError);
  const loader = imageLoaders[type];
  if (loader !== undefined)
    check.refuse({
      argument: "model_type",
      received: type,
      expected: "a model of texts",
      fix: `load it with \`${loader}\`, which loads image models.`,
    });
  const known = [
    ...[families, encoderArchitectures, encoderDecoderArchitectures, speechArchitectures, architectures]
      .flat()
      .flatMap(({ modelTypes }) => modelTypes),
    ...Object.keys(imageLoaders),
  ];
  return check.refuse({
    argument: "model_type",
    received: type,
    expected: `a known architecture: ${knownNames(type, known, checkpointsGuide)}`,
    fix: `choose a model of a known architecture, or add this one. ${describeDistance(nearestArchitecture(json, file, architectures))}.`,
  });
}
