import type { SentLoadOptions } from "./sent-options.js";
import type { SentSource } from "./sent-source.js";

/** A call or a result of the protocol, in birpc's format. */
type Message = { readonly a?: readonly unknown[]; readonly r?: unknown };

/** Buffers to transfer with a message, to which this thread loses access: copies of a source's bytes, and embeddings. */
export function transferables(message: unknown): Transferable[] {
  const { a: values = [], r: result } = message as Message;
  const sources = values.flatMap((argument) => [argument, (argument as SentLoadOptions | null)?.tokenizer]);
  const bytes = sources.map((source) => (source as Extract<SentSource, { bytes: object }> | null)?.bytes);
  const { value } = (result ?? {}) as { value?: unknown };
  const arrays: unknown[] = [...bytes, ...(Array.isArray(value) ? (value as unknown[]) : [])];
  return arrays.flatMap((array) => (ArrayBuffer.isView(array) ? [array.buffer as ArrayBuffer] : []));
}
