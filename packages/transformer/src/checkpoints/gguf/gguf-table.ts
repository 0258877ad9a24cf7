import { architectures } from "../../architectures/architectures.js";
import type { GgufArchitecture } from "../../architectures/gguf/gguf-architecture.js";

/** Architectures of llama.cpp that are loaded and exported by their tables, each once. */
export const ggufTable: readonly GgufArchitecture[] = /* @__PURE__ */ (() =>
  [...new Set(architectures.map(({ gguf }) => gguf))].flatMap((make) => make?.() ?? []))();
