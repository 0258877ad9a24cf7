import { checks } from "@qkv/core";

/** Pairs of numbers of a head that are rotated together: neighbours (0, 1), (2, 3) …, or one of each half, (i, i + r/2). */
export type RotaryLayout = "half" | "interleaved";

/** Refuses names of layouts that other libraries use, and says which of ours they are. */
export function checkLayout(fn: string, layout: RotaryLayout): void {
  if (layout === "half" || layout === "interleaved") return;
  const fix =
    'write "half" for NeoX style (`is_neox_style`, `rotate_half`; Llama of Hugging Face), and "interleaved" for GPT-J style (neighbours; Llama of Meta and of GGUF).';
  checks(fn).oneOf({ layout }, ["half", "interleaved"], fix);
}
