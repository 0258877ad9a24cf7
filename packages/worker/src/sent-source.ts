import type { Checks } from "@qkv/core";
import { sourceUrl } from "@qkv/core/byte-source";
import type { Source } from "@qkv/transformer";

/** A file by reference: engines do not copy the bytes of a Blob. */
type SentFile = { readonly blob: Blob; readonly name: string | undefined };

/** A source of `load` as it is sent to another thread. */
export type SentSource =
  | { readonly place: string }
  | { readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly file: SentFile }
  | { readonly files: readonly SentFile[] };

/** @throws {ArgumentError} If the source is none that can be sent, named as `argument`. */
export function toSentSource(check: Checks, argument: string, source: Source | readonly File[]): SentSource {
  // A path on the page's server is an address here; there it would be below that of the worker.
  if (typeof source === "string") return { place: sourceUrl(source)?.href ?? source };
  if (source instanceof URL) return { place: source.href };
  if (source instanceof Uint8Array || source instanceof ArrayBuffer) {
    // Of a view into a larger buffer the whole buffer would be copied.
    return { bytes: (source instanceof ArrayBuffer ? new Uint8Array(source) : source).slice() };
  }
  if (source instanceof Blob) return { file: toSentFile(source) };
  if (Array.isArray(source) && source.every((one) => one instanceof Blob)) {
    return { files: source.map(toSentFile) };
  }
  if (typeof source === "function") {
    const fix = "call it: `await load(await modelTiny())`.";
    return check.refuse({ argument, received: source, expected: "the files that it gives", fix });
  }
  return check.refuse({
    argument,
    received: source,
    expected:
      "a path, an address, bytes, a Blob, or the files that a reader chose: what can be sent to a worker",
    fix: "name the file, or pass a Blob of it, whose bytes are not copied.",
  });
}

/** Sources that are the same for each tab: a place. Bytes and files belong to the one that has them. */
export const isShareable = (source: SentSource): boolean => "place" in source;

export function fromSentSource(source: SentSource): Source | readonly File[] {
  if ("place" in source) return source.place;
  if ("bytes" in source) return source.bytes;
  if ("files" in source) return source.files.map(fromSentFile) as File[];
  return fromSentFile(source.file);
}

/** A slice is a Blob in every engine; a File loses its name in some. */
const toSentFile = (file: Blob): SentFile => ({
  blob: file.slice(),
  name: "name" in file ? String(file.name) : undefined,
});

const fromSentFile = ({ blob, name }: SentFile): Blob => (name === undefined ? blob : new File([blob], name));
