import type { Checks } from "@qkv/core";
import { sourceUrl } from "@qkv/core/byte-source";
import type { Source } from "@qkv/transformer";

/** A file by reference: sending a Blob does not copy its bytes. */
type SentFile = { readonly blob: Blob; readonly name: string | undefined };

/** A source of `load` as it is sent to another thread. */
export type SentSource =
  | { readonly location: string }
  | { readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly file: SentFile }
  | { readonly files: readonly SentFile[] };

/** Converts a source to a form that can be sent. `argument`: its name in errors. @throws {ArgumentError} If it cannot be sent. */
export function toSentSource(check: Checks, argument: string, source: Source | readonly File[]): SentSource {
  // A relative path is resolved here, against the page: the worker would resolve it against its own script.
  if (typeof source === "string") return { location: sourceUrl(source)?.href ?? source };
  if (source instanceof URL) return { location: source.href };
  if (source instanceof Uint8Array || source instanceof ArrayBuffer) {
    // A copy: sending a view would copy its whole buffer.
    return { bytes: (source instanceof ArrayBuffer ? new Uint8Array(source) : source).slice() };
  }
  if (source instanceof Blob) return { file: toSentFile(source) };
  if (Array.isArray(source) && source.every((file) => file instanceof Blob)) {
    return { files: source.map(toSentFile) };
  }
  if (typeof source === "function") {
    const fix = "call it: `await load(await modelTiny())`.";
    return check.refuse({ argument, received: source, expected: "the files that it returns", fix });
  }
  return check.refuse({
    argument,
    received: source,
    expected:
      "a path, an address, bytes, a Blob, or the files that a user chose: what can be sent to a worker",
    fix: "name the file, or pass a Blob of it, whose bytes are not copied.",
  });
}

/** True for a source that means the same in all tabs: a path or an address. */
export const isShareable = (source: SentSource): boolean => "location" in source;

export function fromSentSource(source: SentSource): Source | readonly File[] {
  if ("location" in source) return source.location;
  if ("bytes" in source) return source.bytes;
  if ("files" in source) return source.files.map(fromSentFile) as File[];
  return fromSentFile(source.file);
}

/** Sends the name beside the bytes: some engines drop the name of a File. */
const toSentFile = (file: Blob): SentFile => ({
  blob: file.slice(),
  name: "name" in file ? String(file.name) : undefined,
});

const fromSentFile = ({ blob, name }: SentFile): Blob => (name === undefined ? blob : new File([blob], name));
