import { embeddedFiles } from "./embedded-files.js";

/**
 * The files of the model in the format of Hugging Face, for `load` of `@qkv/transformer`: `config.json`,
 * `tokenizer.json`, `tokenizer_config.json` and `model.safetensors`, whose weights are float16.
 *
 * They are part of the package, in a separate module of less than 4 MB that is imported at the first call: nothing
 * is downloaded, in Node or in a page.
 *
 * @example
 * ```ts
 * import { modelTiny } from "@qkv/model-tiny";
 *
 * // const model = await load(await modelTiny());
 * const files = await modelTiny();
 * files.map(({ name }) => name); // => ["config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"]
 * JSON.parse(await files[0].text()).num_key_value_heads; // => 2
 * ```
 */
export async function modelTiny(): Promise<File[]> {
  return embeddedFiles(await import("./weights.js"));
}
