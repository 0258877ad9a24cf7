import type { OutputFolder } from "./output-folder.js";

/** What a format makes of a model: it is made, and what cannot be written refused, before anything is written. */
export type ExportPlan = {
  /** Bytes of tensors. */
  readonly total: number;
  /** Writes all files, the one that makes the folder load last. `wrote` is told after each piece. */
  write(folder: OutputFolder, wrote: (bytes: number) => void): Promise<void>;
};
