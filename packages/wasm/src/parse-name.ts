import { checks } from "@qkv/core";
import type { WasmOptions } from "./options.js";

/**
 * Parses the name of a device, `wasm[,threads=N][,plain|relaxed][,sequential|prefetched|interleaved]` in any order, into options.
 * The name of an existing device gives the options for another one like it.
 *
 * @param name - As written on a command line. `threads=auto` is one thread for each core.
 * @returns The options; undefined if this is not the name of such a device.
 *
 * @example
 * ```ts
 * import { parseWasmName } from "@qkv/wasm";
 *
 * parseWasmName("wasm,threads=2,plain"); // => {"threads":2,"build":"plain"}
 * parseWasmName("js"); // => undefined
 * ```
 */
export function parseWasmName(name: string): WasmOptions | undefined {
  checks("parseWasmName").type({ name }, "string");
  const [first, ...settings] = name.split(",");
  if (first !== "wasm") return undefined;
  const options: WasmOptions = {};
  for (const setting of settings) {
    const threads = /^threads=([1-9][0-9]?|auto)$/.exec(setting)?.[1];
    if (threads !== undefined && options.threads === undefined) {
      options.threads = threads === "auto" ? "auto" : Number(threads);
    } else if ((setting === "plain" || setting === "relaxed") && options.build === undefined) {
      options.build = setting;
    } else if (
      (setting === "sequential" || setting === "prefetched" || setting === "interleaved") &&
      options.readPattern === undefined
    ) {
      options.readPattern = setting;
    } else {
      return undefined;
    }
  }
  return options;
}
