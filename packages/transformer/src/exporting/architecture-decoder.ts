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

/** True if an architecture can represent a configuration: written and read again, it is the same. */
export function holds(architecture: Architecture, config: DecoderConfig, params: DecoderParams): boolean {
  if (architecture.fits?.(params) === false) return false;
  const written = writtenFields(architecture, config, params);
  try {
    const fields = configFields(written, { name: "config.json", fn: "exportModel" });
    const read = { ...readFields(architecture.config(), fields), stopIds: config.stopIds } as DecoderConfig;
    const biases = { queryKeyValue: false, attentionOutput: false, feedForward: false };
    const functions: unknown[] = [];
    const same = (a: unknown, b: unknown) => inOneForm(a, functions) === inOneForm(b, functions);
    return (
      same(normalizedConfig(read, params), normalizedConfig(config, params)) &&
      same({ ...biases, ...read.bias }, storedBiases(config, params))
    );
  } catch (error) {
    if (error instanceof QkvError) return false;
    throw error;
  }
}

/** The architecture in the form that exports use. */
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

/** A string that is equal for equal values. */
export const inOneForm = (value: unknown, functions: unknown[] = []): string | undefined =>
  JSON.stringify(sorted(value, functions));

/**
 * Objects with sorted keys, so that equal objects have equal strings. A layer, a mixer and an input map, which
 * have functions of their own, are compared by configuration and name; other functions by the order of first occurrence.
 */
function sorted(value: unknown, functions: unknown[]): unknown {
  if (Array.isArray(value)) return value.map((one) => sorted(one, functions));
  if (typeof value === "function") {
    if (!functions.includes(value)) functions.push(value);
    return `function ${functions.indexOf(value)}`;
  }
  if (isMade(value)) return { name: value.name, config: sorted(value.config, functions) };
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([, one]) => one !== undefined);
  return Object.fromEntries(
    entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, one]) => [key, sorted(one, functions)]),
  );
}

type Made = { readonly name: string; readonly config?: unknown };

const isMade = (value: unknown): value is Made => {
  const { name, ...others } = (value ?? {}) as Partial<Made>;
  return typeof name === "string" && Object.values(others).some((one) => typeof one === "function");
};
