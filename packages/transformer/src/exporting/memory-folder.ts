import type { OutputFolder } from "./output-folder.js";

/**
 * A folder in memory, for web pages: its complete files can be offered for download or loaded again.
 *
 * @example
 * ```ts
 * import { decoder, load } from "@qkv/transformer";
 * import { exportModel, memoryFolder } from "@qkv/transformer/export";
 *
 * const config = {
 *   vocabSize: 11, embedDim: 8, hiddenDim: 16, numLayers: 1, numHeads: 2, numKvHeads: 1,
 *   contextLength: 32, normEps: 1e-5, stopIds: [],
 * };
 * const out = memoryFolder();
 * await exportModel({ config, params: decoder(config).init(1) }, { to: "hf", out });
 * out.files.map(({ name }) => name); // => ["config.json", "generation_config.json", "model.safetensors"]
 * (await load(out.files)).config.numKvHeads; // => 1
 * ```
 */
export function memoryFolder(): OutputFolder & { readonly files: File[] } {
  const files: File[] = [];
  let unfinished: File[] = [];
  return {
    files,
    async open(name) {
      const parts: Uint8Array<ArrayBuffer>[] = [];
      return {
        async write(bytes) {
          parts.push(bytes.slice());
        },
        async close() {
          unfinished.push(new File(parts, name));
        },
      };
    },
    async commit() {
      files.push(...unfinished.sort((a, b) => (a.name < b.name ? -1 : 1)));
      unfinished = [];
    },
    async discard() {
      unfinished = [];
    },
  };
}
