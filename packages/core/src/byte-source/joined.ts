import type { OwnBytes } from "../own-arrays.js";

/** Concatenates chunks into one array of `length` bytes. Each chunk is removed from the list once it is copied, to free memory. */
export function joined(chunks: Uint8Array[], length: number): OwnBytes {
  const bytes = new Uint8Array(length);
  let at = 0;
  chunks.reverse();
  for (let chunk = chunks.pop(); chunk; chunk = chunks.pop()) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
