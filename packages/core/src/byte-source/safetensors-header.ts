import { readSafetensorsHeader, safetensorsHeaderSize, type SafetensorsHeader } from "../safetensors.js";
import type { OpenFile } from "./open-file.js";

/** Reads the header of a safetensors file, and no other bytes of it. */
export async function readSafetensorsHeaderOf(file: OpenFile): Promise<SafetensorsHeader> {
  const context = { source: file.name, fileSize: file.size, fn: file.fn };
  const size = safetensorsHeaderSize(await file.read(0, Math.min(8, file.size)), context);
  return readSafetensorsHeader(await file.read(0, size), context);
}
