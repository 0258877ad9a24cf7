import { checks, FormatError, readSafetensorsHeaderOf } from "@qkv/core";
import { openFile, readGgufHeaderOf, readWhole, smallFiles } from "@qkv/core/byte-source";

/** Size limits of a model's file, by its name; undefined for weights, which may have any size. */
export function limitsOf(name: string) {
  if (/\.(safetensors|gguf|bin)$/.test(name)) return undefined;
  if (name.endsWith(".index.json")) return smallFiles.index;
  return /(^|\/)(tokenizer|vocab|merges)\.(json|model|txt)$/.test(name)
    ? smallFiles.tokenizer
    : smallFiles.configuration;
}

/**
 * Throws if a file is not what its name says, or ends early, as far as its own content tells: safetensors and GGUF
 * files by their headers, JSON by its last bracket, and any file if it is a web page.
 *
 * @param path - Path of the file. Its name in messages is `name`, whose extension tells the format.
 */
export async function checkFile(name: string, path: string): Promise<void> {
  const check = checks("qkv", { argument: name });
  const file = await openFile(path, { check, ...limitsOf(name) });
  const first = new TextDecoder().decode(await file.read(0, Math.min(512, file.size)));
  if (/^\s*<(!doctype html|html)\b/i.test(first)) {
    const fix = "a login or a proxy may have answered in the server's place: open the address in a browser.";
    check.refuse({ received: "a web page", expected: "a file of a model", fix }, FormatError);
  }
  if (name.endsWith(".json")) JSON.parse(new TextDecoder().decode(await readWhole(file)));
  if (name.endsWith(".gguf")) await readGgufHeaderOf(file);
  if (name.endsWith(".safetensors")) await readSafetensorsHeaderOf({ ...file, name });
}
