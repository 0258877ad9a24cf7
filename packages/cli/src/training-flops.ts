import { isQkvError } from "@qkv/core";
import { modelFlopsUtilization, readConfig, type ModelShape } from "@qkv/cost";
import { readTextFile } from "./read-chat-template.js";

/** FLOPs of a model per training token, forward and backward, by `@qkv/cost`. */
export function trainingFlops(
  shape: ModelShape,
  row: { contextLength: number; adapterParameters?: number },
): number {
  // FLOPs per token do not depend on the speed and the machine.
  const speed = { ...row, tokensPerSecond: 1, machine: { flopsPerSecond: 1 } };
  return modelFlopsUtilization(shape, speed).flopsPerToken;
}

/** The shape from a model's config.json. Undefined: there is none, or `@qkv/cost` does not support it. */
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
