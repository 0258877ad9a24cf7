import { isConv1D } from "../checkpoints/hugging-face/gpt2.js";
import { readJson } from "../loading/read-json.js";
import { requiredFile, type Folder } from "../loading/folder.js";
import { smallFiles } from "../loading/open-file.js";
import { safetensorsWeights } from "../loading/safetensors-weights.js";
import type { WeightFile } from "../loading/weight-file.js";
import { adaptedWeights } from "./adapted-weights.js";
import { adapterConfig } from "./adapter-config.js";

/**
 * Merges the adapter in a folder into the weights of a base model while they are read.
 *
 * @param modelType - `model_type` of the base.
 */
export async function withAdapter(base: WeightFile, folder: Folder, modelType: unknown): Promise<WeightFile> {
  const config = await requiredFile(
    folder,
    "adapter_config.json",
    "the configuration of the adapter",
    smallFiles.configuration,
  );
  const weights = await requiredFile(folder, "adapter_model.safetensors", "the weights of the adapter");
  const json = await readJson(config, folder.reading.check);
  const adapter = await safetensorsWeights(weights);
  return adaptedWeights(base, adapter, adapterConfig(json, config), (module) => isConv1D(modelType, module));
}
