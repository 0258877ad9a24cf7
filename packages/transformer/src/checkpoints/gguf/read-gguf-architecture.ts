import { checks, FormatError, knownNames, type GgufHeader, type GgufValue } from "@qkv/core";
import type { GgufArchitecture } from "../../architectures/gguf/gguf-architecture.js";
import { withLayerNumbers } from "../../architectures/gguf/gguf-layer-numbers.js";
import { presence, presentIn } from "../../architectures/gguf/gguf-presence.js";
import { readFields } from "../../architectures/config-entry.js";
import { configFields, stopIdsField } from "../../architectures/config-fields.js";
import { storedBias } from "../../architectures/stored-bias.js";
import { readStored } from "../../architectures/stored-tensor.js";
import type { Weights } from "../../loading/weights.js";
import type { WeightFile } from "../../loading/weight-file.js";
import type { DecoderConfig } from "../../models/decoder-config.js";
import type { DecoderParams } from "../../models/decoder.js";
import type { RopeScalingConfig } from "../../models/rope-from-config.js";
import type { Checkpoint } from "../hugging-face/family.js";
import { ropeFactors, ropeScalingJson } from "./gguf-rope.js";
import { convertedFrom } from "./gguf-table.js";
import { stopIds } from "./gguf-stop-ids.js";
import { keysWithoutEffect } from "./keys-without-effect.js";

/**
 * Reads a decoder from a GGUF file, by the table of its architecture.
 *
 * @param openWeights - Opens the tensors of a file for reading onto a device.
 */
export async function readGgufArchitecture(
  architecture: GgufArchitecture,
  metadata: GgufHeader["metadata"],
  file: WeightFile,
  openWeights: (file: WeightFile) => Weights,
): Promise<Checkpoint> {
  const {
    name,
    config: entries,
    tensors,
    scalings: ropeScalings,
    layerNumbers,
    presence: presenceStems,
  } = architecture;
  const prefix = `${name}.`;
  const valueByKey = new Map(
    [...metadata].flatMap(([key, value]) =>
      key.startsWith(prefix) ? [[key.slice(prefix.length), decimal(value)] as const] : [],
    ),
  );
  const ropeKeys = new Set(["rope.freq_base"]);
  const ropeKey = (key: string) => {
    ropeKeys.add(key);
    return valueByKey.get(key);
  };
  const scaling = ropeScalingJson(ropeKey);
  const factors = await ropeFactors(file, ropeKey);
  // `ropeFactors` also reads `context_length`, which remains an ordinary field.
  ropeKeys.delete("context_length");
  const vocabSize = file.shape("token_embd.weight")?.[0];
  const fields = configFields(
    {
      ...Object.fromEntries([...valueByKey].filter(([key]) => !ropeKeys.has(key))),
      ...(vocabSize !== undefined && { vocab_size: vocabSize }),
      // GGUF has no keys for these: llama.cpp derives them from the layers that have a tensor.
      ...Object.fromEntries(presenceStems.map((stem) => [presence(stem), presentIn(file.names, stem)])),
      rope_theta: valueByKey.get("rope.freq_base"),
      rope_scaling: scaling,
      eos_token_id: stopIds(metadata),
    },
    { name: file.name, fn: file.fn, model: name },
  );
  if (scaling && !(ropeScalings as readonly unknown[]).includes(scaling.rope_type))
    return fields.unsupported(
      "rope_scaling",
      knownNames(scaling.rope_type, ropeScalings, "the reference of `RopeScalingConfig`"),
    );
  const config = {
    ...readFields(entries(), fields),
    stopIds: stopIdsField(fields),
    ...(factors && {
      ropeScaling: ropeScalings.includes("proportional") ? proportionalScaling(factors, file) : factors,
    }),
  } as DecoderConfig;
  fields.finish(new Set([...keysWithoutEffect, "rope_theta"]));
  const weights = openWeights(withLayerNumbers(file, metadata, layerNumbers));
  const tied = file.shape("output.weight") === undefined;
  const params = (await readStored(tensors(config, tied), weights)) as DecoderParams;
  const ignored = architecture.ignoredTensors?.(config).source ?? "^$"; // default: no name
  weights.finish(new RegExp(`^rope_(freqs|factors_\\w+)\\.weight$|${ignored}`));
  const { bias: _, ...plain } = config;
  const bias = storedBias(config, params);
  const modelType = convertedFrom(name);
  const checkpoint = modelType !== undefined && {
    checkpoint: { modelType, ...(architecture.folded.length > 0 && { factors: "unknown" as const }) },
  };
  return { kind: "decoder", config: { ...plain, ...(bias && { bias }), ...checkpoint }, params };
}

/** Proportional RoPE, from its frequency factors: 1 for rotated pairs, and 1e20 or more for pairs that are not rotated. */
function proportionalScaling(factors: RopeScalingConfig, file: WeightFile): RopeScalingConfig {
  const longFactors = factors.type === "longrope" ? Array.from(factors.longFactors) : [];
  const rotated = longFactors.filter((factor) => factor === 1).length;
  if (longFactors.every((factor, i) => (i < rotated ? factor === 1 : factor >= 1e20)))
    return { type: "proportional", share: rotated / longFactors.length };
  return checks(file.fn, { source: file.name }, FormatError).refuse({
    argument: "rope_freqs.weight",
    received: longFactors,
    expected: "1 for pairs that rotate, and 1e20 or more for the others after them",
    fix: "qkv implements no other factors in this architecture. Choose a model with supported ones.",
  });
}

/** The shortest decimal that rounds to a float32, such as 1e-5 for a number that the file stores in 32 bits. */
function decimal(value: GgufValue): GgufValue {
  if (typeof value !== "number" || Number.isInteger(value) || Math.fround(value) !== value) return value;
  const digits = [6, 7, 8, 9].find((count) => Math.fround(Number(value.toPrecision(count))) === value);
  return digits === undefined ? value : Number(value.toPrecision(digits));
}
