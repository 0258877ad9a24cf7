import type { OutputFolder } from "./output-folder.js";

/** A plan for writing a model in a format. Making it refuses what the format cannot hold, before anything is written. */
export type ExportPlan = {
  /** Bytes of tensors. */
  readonly total: number;
  /** Writes all files, the one that makes the folder load last. `wrote` is called after each chunk. */
  write(folder: OutputFolder, wrote: (bytes: number) => void): Promise<void>;
};
