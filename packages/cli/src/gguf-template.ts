import { readGgufHeader, type GgufHeader } from "@qkv/core";
import { open } from "node:fs/promises";

/**
 * What a GGUF file says of talk, as a `tokenizer_config.json` has it: the chat template, and the tokens that it names.
 *
 * @throws {FormatError} If the file is damaged.
 */
export async function ggufTemplate(path: string): Promise<Record<string, unknown>> {
  const { metadata } = await headerOf(path);
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

/** A header does not tell how long it is: more of the file is read until it is there. */
async function headerOf(path: string): Promise<GgufHeader> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    for (let length = 2 ** 20; ; length *= 4) {
      const bytes = new Uint8Array(Math.min(length, size));
      const { bytesRead } = await file.read(bytes, 0, bytes.length, 0);
      try {
        return readGgufHeader(bytes.subarray(0, bytesRead), "qkv");
      } catch (error) {
        if (length >= size) throw error;
      }
    }
  } finally {
    await file.close();
  }
}
