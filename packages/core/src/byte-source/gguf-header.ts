import { readGgufHeader, type GgufHeader } from "../gguf.js";
import type { OpenFile } from "./open-file.js";

/** Bytes of the first read. A header with a large vocabulary takes several reads. */
const firstReadSize = 2 ** 20;
/** The largest header that is read: 256 MiB. */
const maxHeaderSize = 2 ** 28;

/** Reads the header of a GGUF file. The format does not state the size of the header, so larger and larger parts are tried. */
export async function readGgufHeaderOf(file: OpenFile): Promise<GgufHeader> {
  for (let size = firstReadSize; ; size *= 4) {
    const bytes = await file.read(0, Math.min(size, file.size));
    try {
      return readGgufHeader(bytes, file.fn);
    } catch (error) {
      if (bytes.length === file.size || size >= maxHeaderSize) throw error;
    }
  }
}
