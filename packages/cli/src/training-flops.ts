import { isQkvError } from "@qkv/core";
import { modelFlopsUtilization, readConfig, type ModelShape } from "@qkv/cost";
import { readTextFile } from "./read-chat-template.js";

/** FLOPs of a model for one token of a row, forward and backward, by `cost`. */
export function trainingFlops(
  shape: ModelShape,
  row: { contextLength: number; adapterParameters?: number },
): number {
  // The count depends on neither the speed nor the machine.
  const speed = { ...row, tokensPerSecond: 1, machine: { flopsPerSecond: 1 } };
  return modelFlopsUtilization(shape, speed).flopsPerToken;
}

/** The shape in the config.json of a model. Undefined: it has none, or `cost` does not know such models. */
export async function shapeOfModel(folder: string | readonly File[]): Promise<ModelShape | undefined> {
  if (typeof folder === "string" && /\.(gguf|bin)$/.test(folder)) return undefined;
  const config = await readTextFile(folder, "config.json");
  if (config === undefined) return undefined;
  try {
    return readConfig(config);
  } catch (error) {
    if (isQkvError(error)) return undefined;
    throw error;
  }
}
