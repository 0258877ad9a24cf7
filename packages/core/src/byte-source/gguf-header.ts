import { readGgufHeader, type GgufHeader } from "../gguf.js";
import type { OpenFile } from "./open-file.js";

/** Bytes of the first read; a header with a large vocabulary takes several. */
const firstRead = 2 ** 20;
/** No header is longer. */
const longestHeader = 2 ** 28;

/** Reads the header of a GGUF file, which does not state its length: more of the file is read until all of it is there. */
export async function readGgufHeaderOf(file: OpenFile): Promise<GgufHeader> {
  for (let size = firstRead; ; size *= 4) {
    const bytes = await file.read(0, Math.min(size, file.size));
    try {
      return readGgufHeader(bytes, file.fn);
    } catch (error) {
      if (bytes.length === file.size || size >= longestHeader) throw error;
    }
  }
}
