export { exportModel, type ExportOptions } from "./exporting/export-model.js";
export type { ExportedModel } from "./exporting/hugging-face-folder.js";
export type { GgufStoredType } from "./exporting/gguf/gguf-storage.js";
export { memoryFolder } from "./exporting/memory-folder.js";
export type { OutputFile, OutputFolder } from "./exporting/output-folder.js";
export type { StoredType } from "./exporting/stored-numbers.js";
