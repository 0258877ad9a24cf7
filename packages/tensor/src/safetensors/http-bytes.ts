import { ArgumentError } from "@qkv/core";
import type { ByteSource, Signal } from "./source.js";

/** Bytes of the first request: most headers are shorter, and are then read without a second one. */
const headSize = 2 ** 16;

/** A file on a server, read by ranges. */
export async function httpBytes(url: URL, signal: Signal): Promise<ByteSource> {
  const first = await range(url, 0, headSize, signal);
  return {
    size: first.total,
    async read(start, end, signal) {
      if (end <= first.bytes.length) return first.bytes.slice(start, end);
      if (end === start) return new Uint8Array(0);
      const { bytes, total } = await range(url, start, end, signal);
      // A file that was replaced meanwhile is not read half and half; a wrong length is refused by the caller.
      return total === first.total ? bytes : bytes.subarray(0, 0);
    },
  };
}

/** The whole of a file on a server. */
export async function fetchWhole(url: URL, signal: Signal): Promise<Uint8Array> {
  const response = await fetch(url, signal ? { signal } : {});
  if (response.ok) return bodyOf(response, Infinity);
  throw await refuse(url, response, "a file", "check the address, and whether it needs a login.");
}

async function range(url: URL, start: number, end: number, signal: Signal) {
  const headers = { Range: `bytes=${start}-${end - 1}` };
  const response = await fetch(url, signal ? { headers, signal } : { headers });
  const [, first, total] = /^bytes (\d+)-\d+\/(\d+)$/.exec(response.headers.get("content-range") ?? "") ?? [];
  if (response.status === 206 && Number(first) === start) {
    return { bytes: await bodyOf(response, end - start), total: Number(total) };
  }
  if (response.ok) {
    throw await refuse(
      url,
      response,
      "the range of bytes asked for (206, with a Content-Range that the page may read)",
      "the server cannot give parts of a file: `readSafetensors(url)` reads it whole.",
    );
  }
  throw await refuse(url, response, "a range of bytes", "check the address, and whether it needs a login.");
}

/** What arrives, and never more than was asked for: nothing is allocated on the word of a header. */
async function bodyOf(response: Response, most: number): Promise<Uint8Array> {
  const reader = response.body?.getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  while (reader) {
    const { done, value } = await reader.read();
    if (done) break;
    chunks.push(value);
    length += value.length;
    // The length tells the caller that something is wrong.
    if (length > most) await reader.cancel();
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

async function refuse(url: URL, response: Response, expected: string, fix: string): Promise<ArgumentError> {
  await response.body?.cancel();
  return new ArgumentError({
    fn: "readSafetensors",
    argument: "source",
    received: url.href,
    expected: `${expected}, and the server answered ${response.status} ${response.statusText}`.trimEnd(),
    fix,
  });
}
