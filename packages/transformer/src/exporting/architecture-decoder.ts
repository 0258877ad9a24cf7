import { QkvError } from "@qkv/core";
import type { Architecture } from "../architectures/architecture.js";
import { readFields, writeFields } from "../architectures/config-entry.js";
import { configFields } from "../architectures/config-fields.js";
import { biasesOf, storedBias } from "../architectures/stored-bias.js";
import { writeStored } from "../architectures/stored-tensor.js";
import type { DecoderConfig } from "../models/decoder-config.js";
import type { DecoderParams } from "../models/decoder.js";
import { normalizedConfig } from "./architecture-constraints.js";
import type { HuggingFaceDecoder } from "./hugging-face-decoder.js";

/** True if files of an architecture can say a configuration: read back, it is the same. */
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
      same({ ...biases, ...read.bias }, biasesOf(config, params))
    );
  } catch (error) {
    if (error instanceof QkvError) return false;
    throw error;
  }
}

/** The architecture as exports take it. */
export function decoderOf(architecture: Architecture): HuggingFaceDecoder {
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

/** A text that is the same for equal values. */
export const inOneForm = (value: unknown, functions: unknown[] = []): string | undefined =>
  JSON.stringify(sorted(value, functions));

/**
 * Objects with their keys in order, so that equal ones read the same. Of a layer, a mixer and an input map, each of which
 * has functions of its own, configuration and name; of other functions, their place among those that were met.
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
