import { checks, isQkvError, type QkvError } from "@qkv/core";
import {
  loadAny,
  modelStore,
  type ModelWithKind,
  type HubClient,
  type LoadOptions,
  type Progress,
  type TextModel,
} from "@qkv/transformer";
import { openDevice, type OwnDevice } from "./open-device.js";
import type { LoadedModel } from "./protocol.js";
import type { SentLoadOptions } from "./sent-options.js";
import { fromSentSource, type SentSource } from "./sent-source.js";

/** A loaded model in the worker, and its device, which is closed with it. */
export type OpenModel = {
  readonly model: TextModel;
  readonly device: OwnDevice;
  readonly loaded: LoadedModel;
};

/** Loads a text model on a new device. */
export async function openModel(
  source: SentSource,
  { device: name, tokenizer, hub, store, ...options }: SentLoadOptions,
  calls: { signal: AbortSignal; onProgress: (progress: Progress) => void },
  client: HubClient | undefined,
): Promise<OpenModel> {
  const device = await openDevice(name);
  try {
    const loadOptions: LoadOptions = {
      ...options,
      ...calls,
      device,
      ...((hub || client) && { hub: { ...hub, ...(client && { client }) } }),
      ...(store && { store: modelStore(store) }),
      ...(tokenizer && { tokenizer: fromSentSource(tokenizer) as never }),
    };
    const model = requireTextModel(await loadAny(fromSentSource(source), loadOptions));
    return { model, device, loaded: describe(model, device) };
  } catch (error) {
    await device.close?.();
    throw renameToLoad(error);
  }
}

/** Refuses models of images and speech. */
function requireTextModel(model: ModelWithKind): TextModel {
  if (model.kind !== "vision" && model.kind !== "dual-encoder" && model.kind !== "speech") return model;
  const isSpeech = model.kind === "speech";
  return checks("load", { argument: "source" }).refuse({
    received: isSpeech ? "a speech model" : "a model of images",
    expected: "a model of texts, which a worker generates or embeds with",
    fix: `load it in the page, or in a worker of yours, with ${isSpeech ? "`loadSpeech`" : "`loadVision` or `loadDualEncoder`"} of @qkv/transformer.`,
  });
}

/** The description of a model that is sent to the client. */
function describe(model: TextModel, device: OwnDevice): LoadedModel {
  const { vocabSize, embedDim, numLayers, contextLength } = model.config;
  return {
    // An encoder–decoder counts as a decoder, as it generates.
    kind: "maskedTokenLogits" in model ? "encoder" : "decoder",
    config: { vocabSize, embedDim, numLayers, contextLength },
    device: device.name,
    quantization: "quantization" in model ? model.quantization : undefined,
  };
}

/** Renames an error of `loadAny` to `load`, the function that the page called. */
function renameToLoad(error: unknown): unknown {
  if (!isQkvError(error) || error.fn !== "loadAny") return error;
  const { argument, source, received, expected, fix, cause } = error;
  const Kind = error.constructor as typeof QkvError;
  return new Kind({
    ...{ fn: "load", argument, received, expected, fix, cause },
    ...(source !== undefined && { source }),
  });
}
