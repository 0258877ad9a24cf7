import { embeddedFiles } from "./embedded-files.js";

/**
 * The files of a smaller model whose tokens are the 256 bytes, in the same format as `modelTiny`: for `load` of `@qkv/transformer`,
 * and for `byteModel` of `@qkv/transformer/patching`, which converts it to an entropy model for byte-latent patchers.
 *
 * They are part of the package, in a separate module of less than 1 MB that is imported at the first call.
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
