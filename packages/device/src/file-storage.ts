import { checks } from "@qkv/core";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { ChoiceStorage } from "./stored-choices.js";

/**
 * Stores choices in a JSON file, for Node. A file that is missing or unreadable counts as empty.
 *
 * @param path - Path of the file. Its folder is created with the first choice.
 * @throws {ArgumentError} If the path is not a string.
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
      const items = JSON.parse(readFileSync(path, "utf8")) as Record<string, string> | null;
      return items !== null && typeof items === "object" && !Array.isArray(items) ? items : {};
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
