import { checks } from "@qkv/core";
import { js, type Device } from "@qkv/tensor";
import { readFeatureExtractor } from "./audio/read-feature-extractor.js";
import type { FeatureExtractor } from "./audio/feature-extractor.js";
import type { SpeechCheckpoint } from "./checkpoints/hugging-face/family.js";
import { openModel, optionNames, type LoadOptions, type Opened } from "./load.js";
import type { Folder } from "./loading/folder.js";
import { readJson } from "./loading/read-json.js";
import { smallFiles, type Reading, type Source } from "./loading/open-file.js";
import { speechToText } from "./models/speech-to-text.js";
import type { SpeechModel } from "./models/speech-model.js";
import { readSpeechTokens } from "./models/speech-tokens.js";
import { anyLinear } from "./quantization/any-linear.js";
import { deviceRounding, roundParams, type Rounding } from "./quantization/quantize.js";

/**
 * Loads a speech model from the same sources as `load`: Whisper or Moonshine, with the front end of `preprocessor_config.json` and
 * the generation settings of `generation_config.json`. Use it with `transcribe`.
 *
 * @throws {ArgumentError} If the model is of another kind, and as `load` does.
 *
 * @example
 * ```ts
 * import { loadSpeech } from "@qkv/transformer";
 *
 * // const whisper = await loadSpeech("./whisper-tiny");
 * // const { text } = await transcribe(whisper, sound);
 * await loadSpeech(new Uint8Array(0)); // => throws FormatError: `0 bytes: dim`
 * ```
 */
export async function loadSpeech(
  source: Source | readonly File[],
  options?: LoadOptions,
): Promise<SpeechModel> {
  const check = checks("loadSpeech", { argument: "source" });
  return openSpeech(check, source, check.options(options, [...optionNames, "quantize"]));
}

/** Loads a speech model on behalf of a function that errors name. */
export async function openSpeech(
  check: Reading["check"],
  source: Source | readonly File[],
  { quantize, ...options }: LoadOptions,
): Promise<SpeechModel> {
  const { device = js() } = options;
  if (quantize !== undefined) check.oneOf({ quantize }, ["int8", "int4"]);
  const rounding = quantize && deviceRounding(quantize, device);
  const opened = await openModel(check, source, options, rounding);
  const { checkpoint } = opened;
  if (checkpoint.kind !== "speech") {
    return check.refuse({
      received: `a model of another kind: ${checkpoint.kind}`,
      expected: "a speech model: Whisper or Moonshine",
      fix: "load it with `loadAny`.",
    });
  }
  return assembleSpeechModel(check, { ...opened, checkpoint }, rounding, device);
}

/** Creates a speech model from a checkpoint, quantized if requested. */
export async function assembleSpeechModel(
  check: Reading["check"],
  { checkpoint, tokenizer, folder }: Opened<SpeechCheckpoint>,
  rounding: Rounding | undefined,
  device: Device,
): Promise<SpeechModel> {
  const { config } = checkpoint;
  const rounded = rounding && roundParams(rounding, checkpoint.params, { device, generates: true });
  const { params } = rounded ?? checkpoint;
  const { apply, encode, leastFrames } = speechToText(config, rounded && { linear: anyLinear() });
  const [features, generation] = await Promise.all([
    readExtractor(folder, checkpoint.features, check),
    readOptionalJson(folder, "generation_config.json", check),
  ]);
  // Older folders have the generation settings in `config.json`.
  const speech = readSpeechTokens(generation ?? (await readOptionalJson(folder, "config.json", check)));
  return {
    kind: "speech",
    ...{ config, params, tokenizer, features, speech, apply, encode, leastFrames },
    ...(rounded && { quantization: rounded.report }),
  };
}

/** The feature extractor of a folder, or the default one of the architecture. */
async function readExtractor(
  folder: Folder | undefined,
  defaults: object,
  check: Reading["check"],
): Promise<FeatureExtractor> {
  return readFeatureExtractor(
    (await readOptionalJson(folder, "preprocessor_config.json", check)) ?? defaults,
  );
}

async function readOptionalJson(
  folder: Folder | undefined,
  name: string,
  check: Reading["check"],
): Promise<unknown> {
  const file = await folder?.find(name, smallFiles.configuration);
  return file && readJson(file, check);
}
