import { checks } from "@qkv/core";
import {
  findFile,
  openFile,
  readWhole,
  sourceUrl,
  type OpenFile,
  type OpenOptions,
} from "@qkv/core/byte-source";
import { missingFile, type FileUse } from "./missing-file.js";

/** Options of opening, such as the size limit of a kind of file, `smallFiles.configuration`. */
type Options = Omit<OpenOptions, "check">;

/** Opens a file of the command line, by path or URL. The error for a missing file has the nearest name. */
export async function openNamedFile(source: string, use: FileUse, options: Options): Promise<OpenFile> {
  const { fn = "qkv", argument } = use;
  const openOptions = { ...options, check: checks(fn, { argument }) };
  const file = sourceUrl(source) ? await openFile(source, openOptions) : await findFile(source, openOptions);
  if (!file) throw await missingFile(source, use);
  return file;
}

/** Parses a JSON file of the command line. */
export function parseNamedJson(text: string, source: string, use: FileUse): unknown {
  const { fn = "qkv", argument, what, fix = "check the path, and that the file is complete." } = use;
  try {
    return JSON.parse(text);
  } catch (cause) {
    const expected = `${what}, and this one is not JSON`;
    return checks(fn).refuse({ argument, received: source, expected, fix, cause });
  }
}

/** Reads a small text file of the command line. */
export async function namedText(source: string, use: FileUse, options: Options): Promise<string> {
  return new TextDecoder().decode(await readWhole(await openNamedFile(source, use, options)));
}
