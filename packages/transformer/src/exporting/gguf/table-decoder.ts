import type { GgufField } from "@qkv/core";
import type { GgufArchitecture } from "../../architectures/gguf/gguf-architecture.js";
import { takeLayerNumbers } from "../../architectures/gguf/gguf-layer-numbers.js";
import { isPresence } from "../../architectures/gguf/gguf-presence.js";
import { writeFields } from "../../architectures/config-entry.js";
import { writeStored } from "../../architectures/stored-tensor.js";
import type { DecoderConfig } from "../../models/decoder-config.js";
import type { DecoderParams } from "../../models/decoder.js";
import { float32, prefixedFields, ropeFactors, ropeFields, uint32, type GgufFields } from "./gguf-fields.js";
import { ggufTensors, type GgufTensor } from "./gguf-tensor.js";

/** Metadata and tensors of a model, by the table of an architecture. */
export function tableDecoder(
  { name, config: entries, tensors: tensorEntries, layerNumbers }: GgufArchitecture,
  config: DecoderConfig,
  params: DecoderParams,
): { fields: GgufFields; tensors: GgufTensor[] } {
  const { rope_theta, rope_scaling: _scaling, ...keys } = writeFields(entries(), config);
  const rotates = rope_theta !== undefined;
  const stored = writeStored(tensorEntries(config, params.output === undefined), params);
  const { tensors, lists } = takeLayerNumbers(stored, layerNumbers);
  return {
    fields: {
      "general.architecture": { type: "string", value: name },
      ...lists,
      ...prefixedFields(name, {
        ...(rotates && ropeFields(config)),
        ...Object.fromEntries(
          Object.entries(keys).flatMap(([key, value]) =>
            isPresence(key) ? [] : [[key, metadataField(key, value)]],
          ),
        ),
      }),
    },
    tensors: [...(rotates ? ropeFactors(config) : []), ...ggufTensors(tensors, stackedName)],
  };
}

/** Gives all experts of a layer the same name, so that they become one tensor. */
const stackedName = (name: string) => name.replace(/\.(ffn_\w+)\.\d+\./, ".$1_exps.");

/** Metadata keys with float values. */
const isFloat = /epsilon|scale$|softcapping|max_alibi_bias|freq_base|log_multiplier|clamp/;

/** A metadata field with the GGUF type of its value; undefined for other values. */
function metadataField(key: string, value: unknown): GgufField | undefined {
  if (typeof value === "boolean") return { type: "bool", value };
  if (typeof value === "string") return { type: "string", value };
  if (typeof value === "number") return isFloat.test(key) ? float32(value) : uint32(value);
  if (!Array.isArray(value)) return undefined;
  if (typeof value[0] === "boolean") return { type: "bool[]", value: value as boolean[] };
  return { type: isFloat.test(key) ? "float32[]" : "uint32[]", value: value as number[] };
}
