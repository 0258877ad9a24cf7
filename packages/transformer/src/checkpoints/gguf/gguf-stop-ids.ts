import type { GgufHeader, GgufValue } from "@qkv/core";

/** Stop ids: the tokens that end a sequence (EOS), a turn (EOT) and a message (EOM). */
export function stopIds(metadata: GgufHeader["metadata"]): GgufValue[] {
  const ids = ["eos", "eot", "eom"].map((name) => metadata.get(`tokenizer.ggml.${name}_token_id`));
  return [...new Set(ids)].filter((id) => id !== undefined);
}
