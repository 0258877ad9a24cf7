/** A file that is being written, from its first byte to its last. */
export type OutputFile = { write(bytes: Uint8Array): Promise<void>; close(): Promise<void> };

/** A folder that is being written: it appears, whole, when it is done, and not at all otherwise. */
export type OutputFolder = {
  /** A file by its name, `config.json`, or its path in the folder, `onnx/model.onnx`. */
  open(name: string): Promise<OutputFile>;
  commit(): Promise<void>;
  /** Removes what is unfinished. Nothing after `done`. */
  discard(): Promise<void>;
};
