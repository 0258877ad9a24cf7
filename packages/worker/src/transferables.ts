import type { SentLoadOptions } from "./sent-options.js";
import type { SentSource } from "./sent-source.js";

/** A call or an answer of the protocol, as birpc writes it. */
type Message = { readonly a?: readonly unknown[]; readonly r?: unknown };

/** The memory that moves with a message, and is gone here: copies of a source's bytes, and embeddings. */
export function transferables(message: unknown): Transferable[] {
  const { a: values = [], r: answer } = message as Message;
  const sources = values.flatMap((value) => [value, (value as SentLoadOptions | null)?.tokenizer]);
  const bytes = sources.map((source) => (source as Extract<SentSource, { bytes: object }> | null)?.bytes);
  const { value: result } = (answer ?? {}) as { value?: unknown };
  const arrays: unknown[] = [...bytes, ...(Array.isArray(result) ? (result as unknown[]) : [])];
  return arrays.flatMap((array) => (ArrayBuffer.isView(array) ? [array.buffer as ArrayBuffer] : []));
}
