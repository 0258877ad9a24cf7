import { QkvError } from "@qkv/core";
import type { Architecture } from "../architectures/architecture.js";
import { readFields, writeFields } from "../architectures/config-entry.js";
import { configFields } from "../architectures/config-fields.js";
import { storedBiases, storedBias } from "../architectures/stored-bias.js";
import { writeStored } from "../architectures/stored-tensor.js";
import type { DecoderConfig } from "../models/decoder-config.js";
import type { DecoderParams } from "../models/decoder.js";
import { normalizedConfig } from "./architecture-constraints.js";
import type { HuggingFaceDecoder } from "./hugging-face-decoder.js";

/** True if an architecture can represent a configuration: written and read again, it is equal. */
export function canRepresent(
  architecture: Architecture,
  config: DecoderConfig,
  params: DecoderParams,
): boolean {
  if (architecture.fits?.(params) === false) return false;
  const written = writtenFields(architecture, config, params);
  try {
    const fields = configFields(written, { name: "config.json", fn: "exportModel" });
    const read = { ...readFields(architecture.config(), fields), stopIds: config.stopIds } as DecoderConfig;
    const biases = { queryKeyValue: false, attentionOutput: false, feedForward: false };
    const functions: unknown[] = [];
    const areEqual = (a: unknown, b: unknown) => canonicalJson(a, functions) === canonicalJson(b, functions);
    return (
      areEqual(normalizedConfig(read, params), normalizedConfig(config, params)) &&
      areEqual({ ...biases, ...read.bias }, storedBiases(config, params))
    );
  } catch (error) {
    if (error instanceof QkvError) return false;
    throw error;
  }
}

/** Adapts an architecture of the loader for export. */
export function architectureDecoder(architecture: Architecture): HuggingFaceDecoder {
  return {
    name: architecture.modelTypes[0],
    class: architecture.class,
    constraints: {},
    fields: (config, params) => writtenFields(architecture, config, params),
    tensors: (config, params) =>
      writeStored(architecture.tensors(config, params.output === undefined), params),
  };
}

function writtenFields(architecture: Architecture, config: DecoderConfig, params: DecoderParams) {
  const bias = storedBias(config, params);
  const fields = writeFields(architecture.config(), { ...config, ...(bias && { bias }) });
  return { ...fields, tie_word_embeddings: params.output === undefined };
}

/** Canonical JSON of a value: equal values have equal strings. `functions`: the functions found so far, in order. */
export const canonicalJson = (value: unknown, functions: unknown[] = []): string | undefined =>
  JSON.stringify(sorted(value, functions));

/**
 * A value with sorted keys, for comparison as a string. Layers, mixers and input maps, which have methods, are replaced
 * by their name and configuration, and other functions by the order of their first occurrence.
 */
function sorted(value: unknown, functions: unknown[]): unknown {
  if (Array.isArray(value)) return value.map((element) => sorted(element, functions));
  if (typeof value === "function") {
    if (!functions.includes(value)) functions.push(value);
    return `function ${functions.indexOf(value)}`;
  }
  if (isNamedModule(value)) return { name: value.name, config: sorted(value.config, functions) };
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([, field]) => field !== undefined);
  return Object.fromEntries(
    entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, field]) => [key, sorted(field, functions)]),
  );
}

/** A layer, mixer or input map. */
type NamedModule = { readonly name: string; readonly config?: unknown };

const isNamedModule = (value: unknown): value is NamedModule => {
  const { name, ...others } = (value ?? {}) as Partial<NamedModule>;
  return typeof name === "string" && Object.values(others).some((member) => typeof member === "function");
};
