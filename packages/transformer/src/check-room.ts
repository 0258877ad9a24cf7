import { checks, DeviceError } from "@qkv/core";
import type { AnyCheckpoint } from "./checkpoints/hugging-face/family.js";
import { cacheBytes, float32CacheBytes } from "./models/cache-bytes.js";
import { deviceRounding } from "./quantization/quantize.js";
import type { Placing } from "./loading/weights.js";

/** Tokens whose keys and values must have room beside the weights, unless the model takes fewer. */
const leastTokens = 256;

/**
 * Refuses a model that does not fit into what is left of its device's memory, before any of its weights is read: weights
 * are counted by their shapes in the headers of the files, keys and values by the configuration.
 *
 * @param read - Reads the model, or, with `plan`, counts what it would read.
 * @throws {DeviceError} That names the bytes needed, the limit, and what would fit.
 */
export async function checkRoom(
  fn: string,
  placing: Placing,
  read: (placing: Placing) => Promise<AnyCheckpoint>,
): Promise<void> {
  const { device } = placing;
  const { bytes: used = 0, maxBytes } = device?.memory() ?? {};
  if (!device || maxBytes === undefined) return;
  const left = maxBytes - used;
  const { weights, cache, tokens } = await bytesNeeded(placing, read);
  if (weights + cache <= left) return;
  const smaller: string[] = [];
  for (const quantize of placing.rounding ? [] : (["int8", "int4"] as const)) {
    const needed = await bytesNeeded({ ...placing, rounding: deviceRounding(quantize, device) }, read);
    const all = needed.weights + needed.cache;
    if (all <= left) smaller.push(`\`quantize: "${quantize}"\` needs ${mebibytes(all)}`);
  }
  const held = cache > 0 ? `, and ${mebibytes(cache)} for keys and values of ${tokens} tokens` : "";
  checks(fn).refuse(
    {
      argument: "device",
      received: `${device.name}, which has ${mebibytes(left)} left of ${mebibytes(maxBytes)}`,
      expected: `${weights + cache} bytes: ${mebibytes(weights)} for the weights${held}`,
      fix: `${[...smaller, "`js()` of @qkv/tensor and GPUs have other limits"].join("; ")}; nothing of the weights was read.`,
    },
    DeviceError,
  );
}

/** Bytes of a model's weights and of a short text's keys and values. */
async function bytesNeeded(
  placing: Placing,
  read: (placing: Placing) => Promise<AnyCheckpoint>,
): Promise<{ weights: number; cache: number; tokens: number }> {
  let weights = 0;
  const plan = (bytes: number) => {
    weights += bytes;
  };
  const checkpoint = await read({ ...placing, plan });
  if (checkpoint.kind === "encoder" || checkpoint.kind === "vision" || checkpoint.kind === "dual")
    return { weights, cache: 0, tokens: 0 };
  // Quantization makes a rounded output map beside an embedding that is both.
  const { embedding, output } = checkpoint.params;
  if (placing.rounding && !output?.weight) plan(placing.rounding.bytes(embedding.weight.shape));
  const tokens = Math.min(leastTokens, checkpoint.config.contextLength);
  if (checkpoint.kind === "encoder-decoder" || checkpoint.kind === "speech") {
    const { embedDim: C, numHeads, headDim = C / numHeads, numLayers } = checkpoint.config;
    // Of as many tokens of the source, too.
    return { weights, cache: 2 * float32CacheBytes(2 * numHeads * headDim, numLayers, tokens), tokens };
  }
  const { config } = checkpoint;
  return { weights, cache: config.bidirectional ? 0 : cacheBytes(config, tokens), tokens };
}

const mebibytes = (bytes: number) => `${Math.ceil(bytes / 2 ** 20)} MiB`;
