import { checks, FormatError, readSafetensorsHeaderOf } from "@qkv/core";
import { openFile, readGgufHeaderOf, readWhole, smallFiles } from "@qkv/core/byte-source";

/** Size limits of a file of a model, by its name; undefined for weights, which are not limited. */
export function sizeLimits(name: string) {
  if (/\.(safetensors|gguf|bin)$/.test(name)) return undefined;
  if (name.endsWith(".index.json")) return smallFiles.index;
  return /(^|\/)(tokenizer|vocab|merges)\.(json|model|txt)$/.test(name)
    ? smallFiles.tokenizer
    : smallFiles.configuration;
}

/**
 * Refuses a file that is truncated or not of the format of its name: checks the headers of safetensors and GGUF files, parses
 * JSON, and detects web pages.
 *
 * @param name - Name for errors; its extension is that of the format.
 * @param path - Path of the file.
 */
export async function checkFile(name: string, path: string): Promise<void> {
  const check = checks("qkv", { argument: name });
  const file = await openFile(path, { check, ...sizeLimits(name) });
  const first = new TextDecoder().decode(await file.read(0, Math.min(512, file.size)));
  if (/^\s*<(!doctype html|html)\b/i.test(first)) {
    const fix = "a login or a proxy may have answered in the server's place: open the address in a browser.";
    check.refuse({ received: "a web page", expected: "a file of a model", fix }, FormatError);
  }
  if (name.endsWith(".json")) JSON.parse(new TextDecoder().decode(await readWhole(file)));
  if (name.endsWith(".gguf")) await readGgufHeaderOf(file);
  if (name.endsWith(".safetensors")) await readSafetensorsHeaderOf({ ...file, name });
}
