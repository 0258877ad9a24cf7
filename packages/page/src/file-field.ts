import { currentHost } from "./host.js";

/**
 * Puts a button beside the code with which the reader chooses files, and returns those. When others are chosen the code
 * runs again from its first line. The files stay on the reader's device: code reads them, nothing is sent anywhere. In
 * plain Node, and until files are chosen, it returns none.
 *
 * @param label - Name of the files. One label is one button, however often it is asked for.
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
