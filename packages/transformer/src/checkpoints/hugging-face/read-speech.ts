import type { ConfigFields } from "../../architectures/config-fields.js";
import type { SpeechArchitecture } from "../../architectures/speech/speech-architecture.js";
import { readStored, under } from "../../architectures/stored-tensor.js";
import type { Weights } from "../../loading/weights.js";
import type { SpeechToTextParams } from "../../models/speech-to-text.js";
import { findPrefix, type SpeechCheckpoint } from "./family.js";
import { ignoredFields } from "./fields-without-effect.js";

/** Reads a speech model. */
export async function readSpeech(
  architecture: SpeechArchitecture,
  fields: ConfigFields,
  weights: Weights,
): Promise<SpeechCheckpoint> {
  const { config, tensors, features } = architecture.read(fields);
  const path = findPrefix(weights, architecture.embeddingName, ["", ...architecture.prefixes]);
  fields.finish(ignoredFields(...architecture.ignored));
  const entries = [under("", path.replace(/\.$/, ""), tensors)];
  const params = (await readStored(entries, weights)) as SpeechToTextParams;
  weights.finish(architecture.ignoredTensors);
  return { kind: "speech", config, params, features };
}
