import type { AnyModel } from "@qkv/transformer";

type Config = AnyModel["config"];

/** Lines of text with the sizes of a model: its layers, and its input. */
export function sizeLines(config: Config): string[] {
  if ("vision" in config) {
    return [
      `two encoders, whose vectors have ${config.projectionDim} elements`,
      `texts: ${sizeLines(config.text).join("; ")}`,
      `images: ${sizeLines(config.vision).join("; ")}`,
    ];
  }
  if ("patchSize" in config) {
    const { imageSize, patchSize } = config;
    return [
      layersLine(config),
      `images of ${imageSize} × ${imageSize} pixels, in patches of ${patchSize} × ${patchSize}`,
    ];
  }
  const { vocabSize, contextLength } = config;
  const window = "numKvHeads" in config ? config.window : undefined;
  const tokens = `${vocabSize} tokens, context ${contextLength}`;
  return [
    layersLine(config),
    `${tokens}${window === undefined ? "" : `, window ${window}`}${describeAudio(config)}`,
  ];
}

function layersLine(config: Exclude<Config, { vision: unknown }>): string {
  const { numLayers, numHeads, embedDim, hiddenDim } = config;
  const numKvHeads = "numKvHeads" in config ? config.numKvHeads : numHeads;
  const shared = numHeads === numKvHeads ? "" : `, ${numKvHeads} key-value heads`;
  const layers =
    "startIds" in config
      ? `${config.encoder?.numLayers ?? numLayers} layers of an encoder and ${numLayers} of a decoder`
      : `${numLayers} layers`;
  return `${layers} of width ${embedDim}, ${numHeads} heads${shared}, feed-forward ${hiddenDim}`;
}

/** The audio input of a speech model as text; empty for other models. */
function describeAudio(config: object): string {
  const { encoder } = config as { encoder?: { inputChannels?: number } };
  if (encoder?.inputChannels === undefined) return "";
  return encoder.inputChannels === 1 ? "; samples of sound" : `; sound in ${encoder.inputChannels} mel bands`;
}
