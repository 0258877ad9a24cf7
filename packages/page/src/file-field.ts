import { currentHost } from "./host.js";

/**
 * Adds a button to the page beside the code with which the reader chooses files, and returns the files. When the reader
 * chooses others, the code runs again from its first line. The files are read on the device of the reader and sent nowhere.
 * Without a page, as in Node, and until files are chosen, the list is empty.
 *
 * @param label - Name of the files. Calls with the same label share one button.
 *
 * @example
 * ```ts
 * import { fileField } from "@qkv/page";
 *
 * fileField("your model's files").length; // => 0
 * ```
 */
export function fileField(label: string): readonly File[] {
  const host = currentHost();
  const chosen = host && Object.hasOwn(host.values, label) ? host.values[label] : undefined;
  const files = Array.isArray(chosen) ? (chosen as readonly File[]) : [];
  host?.post({ type: "files", label, names: files.map(({ name }) => name) });
  return files;
}
