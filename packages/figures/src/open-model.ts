import { load, type Model } from "@qkv/transformer";
import { wasm } from "@qkv/wasm";

/**
 * Loads a decoder from files of the reader: a folder in the layout of Hugging Face, or one GGUF file. Its weights are on the
 * `wasm` device with one thread. Nothing is fetched.
 *
 * @throws {ArgumentError} As `load`, for files that it cannot read. The figure shows the message.
 */
export async function openModel(
  files: readonly File[],
  { signal }: { signal?: AbortSignal } = {},
): Promise<Model> {
  const single = files.length === 1 && /\.(gguf|bin)$/.test(files[0]!.name);
  const device = await wasm({ threads: 1 });
  return load(single ? files[0]! : files, { device, ...(signal && { signal }) });
}
