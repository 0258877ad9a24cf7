// A config.json in a link, compressed with deflate: #config=… after the page's address. A hash is never sent to a
// server.

/** Maximum length of a link in characters. Many programs truncate longer ones. */
const mostPacked = 6_000;
/** Maximum length of a config from a link in characters, against decompression bombs. */
const mostUnpacked = 200_000;

/** The hash with a config, or "" if it is too long for a link. */
export async function hashWithConfig(config: string): Promise<string> {
  const compact = JSON.stringify(JSON.parse(config));
  if (compact.length > mostUnpacked) return "";
  const packed = base64Url(await collect(through(compact, new CompressionStream("deflate-raw"))));
  return packed.length > mostPacked ? "" : `#config=${packed}`;
}

/** The config in a link, if any. A damaged or too long one is ignored. */
export async function configFromHash(hash: string): Promise<string | undefined> {
  const packed = new URLSearchParams(hash.replace(/^#/, "")).get("config");
  if (packed === null || packed.length > mostPacked) return undefined;
  try {
    const letters = atob(packed.replaceAll("-", "+").replaceAll("_", "/"));
    const bytes = Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
    const text = await collect(through(bytes, new DecompressionStream("deflate-raw")));
    return new TextDecoder("utf-8", { fatal: true }).decode(text);
  } catch {
    return undefined;
  }
}

const through = (content: BlobPart, stream: CompressionStream | DecompressionStream) =>
  new Blob([content]).stream().pipeThrough(stream);

/** All bytes of a stream, up to the maximum length of a config. */
async function collect(stream: ReadableStream<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for (const reader = stream.getReader(); ;) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.length;
    if (length > mostUnpacked) {
      await reader.cancel();
      throw new RangeError("too long for a link");
    }
    parts.push(value);
  }
  const all = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    all.set(part, offset);
    offset += part.length;
  }
  return all;
}

function base64Url(bytes: Uint8Array): string {
  const letters = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  return btoa(letters).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
