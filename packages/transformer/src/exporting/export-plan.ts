import type { OutputFolder } from "./output-folder.js";

/** A plan for writing a model in a format. Unsupported models are refused when the plan is created, before anything is written. */
export type ExportPlan = {
  /** Bytes of tensors. */
  readonly total: number;
  /** Writes all files. The file without which the folder does not load is last. `onWrite` is called after each chunk. */
  write(folder: OutputFolder, onWrite: (bytes: number) => void): Promise<void>;
};
