import { architectures } from "../../architectures/architectures.js";
import type { GgufArchitecture } from "../../architectures/gguf/gguf-architecture.js";

/** The llama.cpp architectures that are described by a table, without duplicates. */
export const ggufTable: readonly GgufArchitecture[] = /* @__PURE__ */ (() =>
  [...new Set(architectures.map(({ gguf }) => gguf))].flatMap((gguf) => gguf?.() ?? []))();
