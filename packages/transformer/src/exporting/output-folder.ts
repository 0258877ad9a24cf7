/** A file that is being written, from its first byte to its last. */
export type OutputFile = { write(bytes: Uint8Array): Promise<void>; close(): Promise<void> };

/** A folder that is being written: it appears when it is committed, and not at all otherwise. */
export type OutputFolder = {
  /** A file by its name, `config.json`, or its path in the folder, `onnx/model.onnx`. */
  open(name: string): Promise<OutputFile>;
  commit(): Promise<void>;
  /** Removes unfinished files. No effect after `commit`. */
  discard(): Promise<void>;
};
