import type { Family } from "./family.js";
import { gpt2 } from "./gpt2.js";
import { llama } from "./llama.js";

/** Decoders whose readers are code, not tables. */
export const families: readonly Family[] = [llama, gpt2];
