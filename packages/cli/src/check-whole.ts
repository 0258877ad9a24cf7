import { readSafetensorsHeader, safetensorsHeaderSize } from "@qkv/core";
import { open, readFile } from "node:fs/promises";

/**
 * Throws if a file ends early, as far as its own content tells: a safetensors file by its header, JSON by its last
 * bracket. Of other files it says nothing.
 *
 * @param path - Where the file lies. Its name in messages is `name`, whose ending says what it is.
 */
export async function checkWhole(name: string, path: string): Promise<void> {
  if (name.endsWith(".json")) JSON.parse(await readFile(path, "utf8"));
  if (!name.endsWith(".safetensors")) return;
  const file = await open(path);
  try {
    const context = { source: name, fileSize: (await file.stat()).size };
    const first = async (length: number) => {
      const { buffer, bytesRead } = await file.read(new Uint8Array(length), 0, length, 0);
      return buffer.subarray(0, bytesRead);
    };
    const size = safetensorsHeaderSize(await first(8), context);
    readSafetensorsHeader(await first(size), context);
  } finally {
    await file.close();
  }
}
