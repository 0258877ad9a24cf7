import { embeddedFiles } from "./embedded-files.js";

/**
 * The files of the sibling whose tokens are the 256 bytes, as those of `modelTiny`: for `load` of `@qkv/transformer`,
 * and `byteModel` of `@qkv/transformer/patching`, which makes of it the entropy that byte-latent patchers read.
 *
 * They come with the package, in a module of their own of less than 1 MB that is imported at the first call.
 *
 * @example
 * ```ts
 * import { modelTinyBytes } from "@qkv/model-tiny/bytes";
 *
 * // const entropy = byteModel(await load(await modelTinyBytes()));
 * const files = await modelTinyBytes();
 * JSON.parse(await files[0].text()).vocab_size; // => 256
 * ```
 */
export async function modelTinyBytes(): Promise<File[]> {
  return embeddedFiles(await import("./bytes-weights.js"));
}
