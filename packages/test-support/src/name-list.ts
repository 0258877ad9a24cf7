import { readFileSync } from "node:fs";

/** The longest error message. Unit: characters. */
const mostCharacters = 600;

/**
 * The shortened list of names in the error of a call: the names shown, the number of all names, and where they are listed
 * (`list`; undefined if the error does not say). Throws if the error is longer than 600 characters.
 */
export async function nameListOf(
  call: () => unknown,
): Promise<{ shown: readonly string[]; count: number; list: string | undefined }> {
  const message = await failureOf(call);
  if (message.length > mostCharacters)
    throw new Error(
      `nameListOf: the error has ${message.length} characters, expected ${mostCharacters}: ${message}`,
    );
  const [, names, all] = /((?:[^\s,]+(?: \([^)]*\))?, )+)… \(([^)]+)\)/.exec(message) ?? [];
  const [, list, count] = /^(?:(.+) lists all )?(\d+)(?: in all)?$/.exec(all ?? "") ?? [];
  if (names === undefined || count === undefined)
    throw new Error(`nameListOf: no shortened list in: ${message}`);
  return { shown: names.split(", ").slice(0, -1), count: Number(count), list };
}

async function failureOf(call: () => unknown): Promise<string> {
  try {
    await call();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("nameListOf: the call threw no error.");
}

/** The names in backquotes of the docstring of an exported name, which its page of the reference shows; for a type, also those of its fields. */
export function namesInReference(file: URL, name: string): ReadonlySet<string> {
  const source = readFileSync(file, "utf8");
  const at = source.search(
    new RegExp(`^export (?:async )?(?:function|type|const|interface) ${name}\\b`, "m"),
  );
  const begin = source.lastIndexOf("\n/**", at);
  const hasFields = /^export type .*\{$/.test(source.slice(at, source.indexOf("\n", at)));
  const text = source.slice(begin, hasFields ? source.indexOf("\n};", at) : at).replaceAll("\n * ", " ");
  return new Set([...text.matchAll(/`([^`]+)`/g)].map(([, quoted]) => quoted!));
}
