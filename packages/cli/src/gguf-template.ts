import { checks } from "@qkv/core";
import { openFile, readGgufHeaderOf } from "@qkv/core/byte-source";

/**
 * The chat template of a GGUF file and its special tokens, in the form of a `tokenizer_config.json`.
 *
 * @throws {FormatError} If the file is damaged.
 */
export async function ggufTemplate(path: string): Promise<Record<string, unknown>> {
  const file = await openFile(path, { check: checks("qkv", { argument: "model" }) });
  const { metadata } = await readGgufHeaderOf(file);
  const tokens = metadata.get("tokenizer.ggml.tokens");
  const token = (name: string) => {
    const id = metadata.get(`tokenizer.ggml.${name}_token_id`);
    return Array.isArray(tokens) && typeof id === "number" ? (tokens[id] as unknown) : undefined;
  };
  return {
    chat_template: metadata.get("tokenizer.chat_template"),
    bos_token: token("bos"),
    eos_token: token("eos"),
  };
}
