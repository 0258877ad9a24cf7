import { ArgumentError, nearestName } from "@qkv/core";
import { readdir } from "node:fs/promises";
import { basename, dirname, join, parse } from "node:path";

/** True if a source looks like a path: it is not requested from the network, even if it does not exist. */
export function looksLikePath(typed: string): boolean {
  if (/^https?:\/\//.test(typed)) return false;
  return (
    /^[.~/\\]|^[A-Za-z]:[\\/]|\\|\/$/.test(typed) ||
    /\.(gguf|bin|safetensors|json|model|txt|pt|pth|onnx)$/i.test(typed)
  );
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "does not exist",
  ENOTDIR: "is inside of what is no folder",
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
export type Asked = { fn?: string; argument: string; what: string; fix?: string };

/** Refuses a file that cannot be read: a missing one with the nearest name, another with the reason. */
export async function unreadable(path: string, asked: Asked, cause: unknown): Promise<unknown> {
  const { code } = (cause ?? {}) as NodeJS.ErrnoException;
  if (code === undefined) return cause;
  if (code === "ENOENT" || code === "ENOTDIR") return missingFile(path, asked);
  const { fn = "qkv", argument, what, fix = "check the path and its permissions." } = asked;
  const expected = `${what} that can be read, and this one ${unreadableReason(cause)}`;
  return new ArgumentError({ fn, argument, received: path, expected, fix, cause });
}

/** Refuses a path that does not exist, with the nearest name. */
export async function missingFile(
  path: string,
  { fn = "qkv", argument, what, fix }: Asked,
): Promise<ArgumentError> {
  return new ArgumentError({
    fn,
    argument,
    received: path,
    expected: `${what} that can be read, and this one does not exist`,
    fix:
      (await nearestPath(path)) ??
      fix ??
      "check the path; it is relative to the folder in which the command was typed.",
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
  return `name one of ${alike.slice(0, 3).join(", ")}${alike.length > 3 ? ", …" : ""} in ${folder}.`;
}
