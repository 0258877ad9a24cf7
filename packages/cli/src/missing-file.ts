import { ArgumentError, knownNames, nearestName } from "@qkv/core";
import { readdir } from "node:fs/promises";
import { basename, dirname, join, parse } from "node:path";

/** True if a source looks like a path: it is not requested from the network, even if it does not exist. */
export function looksLikePath(source: string): boolean {
  if (/^https?:\/\//.test(source)) return false;
  return (
    /^[.~/\\]|^[A-Za-z]:[\\/]|\\|\/$/.test(source) ||
    /\.(gguf|bin|safetensors|json|model|txt|pt|pth|onnx)$/i.test(source)
  );
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "does not exist",
  ENOTDIR: "is in a path that is not a folder",
  EISDIR: "is a folder",
  EACCES: "may not be read",
  EPERM: "may not be read",
};

/** The reason why a file cannot be read; undefined if it is not a file system error. */
export function unreadableReason(error: unknown): string | undefined {
  const { code } = (error ?? {}) as NodeJS.ErrnoException;
  return code === undefined ? undefined : (reasons[code] ?? `gives ${code}`);
}

/** Use of a missing file: `argument` is `model` or the option, `what` a description such as `a model`. */
export type FileUse = { fn?: string; argument: string; what: string; fix?: string };

/** Refuses a file that cannot be read: a missing one with the nearest name, another with the reason. */
export async function unreadable(path: string, use: FileUse, cause: unknown): Promise<unknown> {
  const { code } = (cause ?? {}) as NodeJS.ErrnoException;
  if (code === undefined) return cause;
  if (code === "ENOENT" || code === "ENOTDIR") return missingFile(path, use);
  const { fn = "qkv", argument, what, fix = "check the path and its permissions." } = use;
  const expected = `${what} that can be read, and this one ${unreadableReason(cause)}`;
  return new ArgumentError({ fn, argument, received: path, expected, fix, cause });
}

/** Refuses a path that does not exist, with the nearest name. */
export async function missingFile(
  path: string,
  { fn = "qkv", argument, what, fix }: FileUse,
): Promise<ArgumentError> {
  return new ArgumentError({
    fn,
    argument,
    received: path,
    expected: `${what} that can be read, and this one does not exist`,
    fix: (await nearestPath(path)) ?? fix ?? "check the path; it is relative to the current folder.",
  });
}

/** The nearest name in the folder, or in the nearest existing folder above. */
async function nearestPath(path: string): Promise<string | undefined> {
  const folder = dirname(path);
  const names = await readdir(folder).catch(() => undefined);
  if (!names) {
    if (folder === path) return undefined;
    return `there is no folder ${folder}; check the path.`;
  }
  const name = basename(path);
  // Extensions are usually equal: only the names before them are compared.
  const stems = new Map(names.map((other) => [parse(other).name, other]));
  const near = stems.get(nearestName(parse(name).name, [...stems.keys()]) ?? "");
  if (near !== undefined) return `write ${join(folder, near)}, which is there.`;
  const kind = /\.\w+$/.exec(name)?.[0];
  const alike = kind === undefined ? [] : names.filter((other) => other.endsWith(kind)).sort();
  if (alike.length === 0) return undefined;
  return `choose a file in ${folder}: ${knownNames(name, alike, "the folder")}.`;
}
