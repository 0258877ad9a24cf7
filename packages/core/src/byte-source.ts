export { fileSystem, kindOfPath, type FileSystem } from "./byte-source/disk.js";
export { readGgufHeaderOf } from "./byte-source/gguf-header.js";
export { isMissing, readBody, sendRequest, type HttpRequest, type HttpResponse } from "./byte-source/http.js";
export {
  findFile,
  openFile,
  readWhole,
  sourceName,
  sourceUrl,
  type ByteSource,
  type FileSource,
  type OpenFile,
  type OpenOptions,
} from "./byte-source/open-file.js";
export type { Reader, ReadOptions, ReadProgress } from "./byte-source/options.js";
export { smallFiles } from "./byte-source/small-files.js";
