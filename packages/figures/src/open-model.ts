import { load, type Model } from "@qkv/transformer";
import { wasm } from "@qkv/wasm";

/**
 * Loads a decoder from files that a reader gave a page: a folder as Hugging Face lays models out, or one GGUF file. Its
 * weights lie on the `wasm` device, one thread; nothing is fetched.
 *
 * @throws {ArgumentError} As `load` does, in words that a figure shows.
 */
export async function openModel(
  files: readonly File[],
  { signal }: { signal?: AbortSignal } = {},
): Promise<Model> {
  const single = files.length === 1 && /\.(gguf|bin)$/.test(files[0]!.name);
  const device = await wasm({ threads: 1 });
  return load(single ? files[0]! : files, { device, ...(signal && { signal }) });
}
