import { checks, type Checks } from "@qkv/core";
import type { Tensor } from "@qkv/tensor";
import { writeSafetensors } from "@qkv/tensor/safetensors";
import { diskFolder } from "../exporting/disk-folder.js";
import { formatJson } from "../exporting/hugging-face-folder.js";
import { isOutput, type OutputFolder } from "../exporting/output-folder.js";
import type { AdapterParams, Lora } from "./adaptable.js";

/**
 * Saves an adapter in PEFT's format: `adapter_config.json` and `adapter_model.safetensors`, with the names of PEFT, so that
 * `PeftModel.from_pretrained`, `load` and `loadAdapter` read it. The base is not saved.
 *
 * The adapter belongs to the checkpoint that the base was loaded from. `exportModel` writes another base if that checkpoint has
 * multipliers that loading folds into weights (Falcon-H1, MiniMax): then export the merged model.
 *
 * @param lora - The base prepared for adapters, from `lora` or `loadAdapter`.
 * @param options - `out`: a folder that does not exist yet, by its path (in Node), or `memoryFolder()`.
 * @throws {ArgumentError} If the params belong to another adapter, or `out` exists already.
 *
 * @example
 * ```ts
 * import { decoder } from "@qkv/transformer";
 * import { memoryFolder } from "@qkv/transformer/export";
 * import { lora, saveAdapter } from "@qkv/transformer/adapters";
 *
 * const config = {
 *   vocabSize: 11, embedDim: 8, hiddenDim: 16, numLayers: 1, numHeads: 2, numKvHeads: 1,
 *   contextLength: 32, normEps: 1e-5, stopIds: [],
 * };
 * const tuned = lora({ config, params: decoder(config).init(1) }, { target_modules: ["q_proj"] });
 * const folder = memoryFolder();
 * await saveAdapter(tuned, tuned.init(2), { out: folder });
 * folder.files.map(({ name }) => name); // => ["adapter_config.json", "adapter_model.safetensors"]
 * ```
 */
export async function saveAdapter(
  lora: Lora,
  adapter: AdapterParams,
  options: { out: string | OutputFolder },
): Promise<void> {
  const isLora = (value: unknown) => typeof (value as Lora | undefined | null)?.tensors === "function";
  check.each({ lora }, isLora, "a model with room for adapters", "give what `lora(model, config)` returns.");
  const { out } = check.options(options, ["out"]);
  check.each({ out }, isOutput, "a path or a folder", "write `{ out: memoryFolder() }`.");
  const tensors = Object.entries({ ...lora.adaptedTables(), ...lora.tensors(adapter) });
  const bytes = await writeSafetensors(inOrder(tensors), { format: "pt" });
  const config = Object.fromEntries(Object.entries(lora.config).sort(byName));
  const folder = typeof out === "string" ? await diskFolder(out) : out;
  try {
    for (const [name, content] of [
      ["adapter_model.safetensors", bytes],
      ["adapter_config.json", new TextEncoder().encode(formatJson(config))],
    ] as const) {
      const file = await folder.open(name);
      await file.write(content);
      await file.close();
    }
    await folder.commit();
  } catch (error) {
    await folder.discard();
    throw error;
  }
}

const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]) => (a < b ? -1 : 1);

const inOrder = (entries: [string, Tensor][]): Record<string, Tensor> =>
  Object.fromEntries(entries.sort(byName));

const check: Checks = /* @__PURE__ */ checks("saveAdapter");
