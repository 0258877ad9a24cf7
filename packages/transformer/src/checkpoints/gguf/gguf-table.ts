import { architectures } from "../../architectures/architectures.js";
import type { GgufArchitecture } from "../../architectures/gguf/gguf-architecture.js";

/** The llama.cpp architectures that are described by a table, without duplicates. */
export const ggufTable: readonly GgufArchitecture[] = /* @__PURE__ */ (() =>
  [...new Set(architectures.map(({ gguf }) => gguf))].flatMap((gguf) => gguf?.() ?? []))();

/** `model_type` of the models whose files have this architecture; undefined if there are several. */
export function convertedFrom(name: string): string | undefined {
  const sources = architectures.filter(({ gguf }) => gguf?.().some((one) => one.name === name));
  return sources.length === 1 ? sources[0]!.modelTypes[0] : undefined;
}
