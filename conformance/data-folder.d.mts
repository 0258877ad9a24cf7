/** A folder of reference data. Names are relative to it, with slashes, and without the `.gz` that a file may have there. */
export type DataFolder = {
  readonly folder: string;
  /** Whether there is such a file or folder. */
  has(name: string): boolean;
  /**
   * The content of a file, unpacked.
   *
   * @throws {Error} If there is no such file: names the file, the folder and the fix.
   */
  bytes(name: string): Uint8Array<ArrayBuffer>;
  /** The content of a file, as UTF-8. */
  text(name: string): string;
  /** The content of a file, parsed as JSON. */
  // The caller knows the form of its file.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  json(name: string): any;
  /** The names in a folder, sorted; none if there is no such folder. */
  names(folder?: string, ending?: string): string[];
  /** The folders in a folder, sorted; none if there is no such folder. */
  folders(folder?: string): string[];
  /** The files in a folder and below, sorted. */
  files(folder?: string): string[];
  /**
   * The path on disk of a folder, or of a file that is stored as it was: for functions that open files themselves.
   *
   * @throws {Error} If there is none, or it is packed.
   */
  path(name: string): string;
};

/** Opens a folder of reference data. */
export function dataFolder(folder: string): DataFolder;
