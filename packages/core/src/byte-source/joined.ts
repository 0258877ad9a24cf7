import type { OwnBytes } from "../own-arrays.js";

/** The bytes of chunks in one array. Each chunk is dropped as it is copied. */
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
