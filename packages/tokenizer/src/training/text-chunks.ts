import { ArgumentError, checks } from "@qkv/core";
import { isIterable } from "../check-arguments.js";

/**
 * Splits a stream, whose chunks end anywhere, into texts that end between words: training on them equals training on
 * the whole.
 *
 * It cuts in front of a space that follows something else than white space. The splits of GPT-2, GPT-4, Llama 3 and
 * Qwen all split there too, in every context. Text after the last such boundary is held back, at most until the
 * stream ends.
 *
 * @param stream - UTF-8 bytes or strings: `createReadStream(path)`, `(await fetch(url)).body`, `process.stdin`.
 * @returns The texts. Joined, they are the whole; bytes that are not UTF-8 become U+FFFD, a leading byte
 *   order mark is dropped.
 * @throws {ArgumentError} If a chunk is neither.
 *
 * @example
 * ```ts
 * import { textChunks } from "@qkv/tokenizer/training";
 *
 * const texts = [];
 * for await (const text of textChunks(["to b", "e or no", "t to be"])) texts.push(text);
 * texts; // => ["to", " be or", " not to", " be"]
 * ```
 */
export async function* textChunks(
  stream: Iterable<Uint8Array | string> | AsyncIterable<Uint8Array | string>,
): AsyncGenerator<string, void, undefined> {
  checks("textChunks").each(
    { stream },
    (value) => typeof value === "string" || isIterable(value),
    "a stream or a list of chunks",
  );
  const utf8 = new TextDecoder();
  let pending: string[] = []; // text after the last boundary
  for await (const chunk of stream) {
    const text = typeof chunk === "string" ? chunk : utf8.decode(checkBytes(chunk), { stream: true });
    const cut = lastCut(text);
    if (cut === 0) {
      pending.push(text);
    } else {
      yield pending.join("") + text.slice(0, cut);
      pending = [text.slice(cut)];
    }
  }
  const rest = pending.join("") + utf8.decode();
  if (rest !== "") yield rest;
}

/** The index of the last space that follows a visible character; 0 for none. */
function lastCut(text: string): number {
  for (let at = text.lastIndexOf(" "); at > 0; at = text.lastIndexOf(" ", at - 1)) {
    if (!/\p{White_Space}/u.test(text[at - 1]!)) return at;
  }
  return 0;
}

function checkBytes(chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk;
  throw new ArgumentError({
    fn: "textChunks",
    argument: "stream",
    received: chunk,
    expected: "chunks of UTF-8 bytes (Uint8Array) or strings",
    fix: "give a file's stream, `createReadStream(path)`, or the body of a response.",
  });
}
