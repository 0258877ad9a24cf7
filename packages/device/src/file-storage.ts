import { checks } from "@qkv/core";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { ChoiceStorage } from "./remembered.js";

/**
 * A storage of choices in a file of JSON, for Node. A file that cannot be read is an empty one.
 *
 * @param path - Of the file. Its folder is made when something is stored.
 * @throws {ArgumentError} If the path is no text.
 *
 * @example
 * ```ts no-run
 * import { device } from "@qkv/device";
 * import { fileStorage } from "@qkv/device/file-storage";
 *
 * const best = await device({ storage: fileStorage(".cache/device.json") });
 * ```
 */
export function fileStorage(path: string): ChoiceStorage {
  checks("fileStorage").type({ path }, "string", "pass the path of a file, such as `.cache/device.json`.");
  const read = (): Record<string, string> => {
    try {
      const held = JSON.parse(readFileSync(path, "utf8")) as Record<string, string> | null;
      return held !== null && typeof held === "object" && !Array.isArray(held) ? held : {};
    } catch {
      return {};
    }
  };
  return {
    getItem: (key) => read()[key] ?? null,
    setItem(key, value) {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, `${JSON.stringify({ ...read(), [key]: value }, null, 2)}\n`);
    },
  };
}
