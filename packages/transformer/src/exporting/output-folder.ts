/** A file that is written sequentially. */
export type OutputFile = { write(bytes: Uint8Array): Promise<void>; close(): Promise<void> };

/** A folder that is being written. It appears only when it is committed. */
export type OutputFolder = {
  /** A file by its name, `config.json`, or its path in the folder, `onnx/model.onnx`. */
  open(name: string): Promise<OutputFile>;
  commit(): Promise<void>;
  /** Removes unfinished files. No effect after `commit`. */
  discard(): Promise<void>;
};

/** True for a path, and for a folder to write into. */
export const isOutput = (value: unknown): boolean =>
  typeof value === "string" || typeof (value as OutputFolder | undefined | null)?.open === "function";
