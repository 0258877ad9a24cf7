import { checks, FormatError, sizeOf, type Checks } from "@qkv/core";
import { tensor, type Tensor } from "@qkv/tensor";
import { filesFolder, openFolder, requiredFile } from "../loading/folder.js";
import { readJson } from "../loading/read-json.js";
import { smallFiles, type Reading, type ReadOptions } from "../loading/open-file.js";
import { safetensorsWeights } from "../loading/safetensors-weights.js";
import type { WeightFile } from "../loading/weight-file.js";
import { adaptable, savedName, type AdaptableModel, type AdapterParams, type Lora } from "./adaptable.js";
import { checkAdaptable } from "./lora.js";
import { readConfig, type FullConfig } from "./lora-config.js";
import { storedMatrices, type StoredMatrix } from "./stored-matrices.js";

/**
 * Loads an adapter without merging it, to continue its training or to use several adapters with one base. `load` with the
 * option `adapter` merges one as it reads the weights.
 *
 * @param model - The base model: from `load`, or `{ config, params }`.
 * @param source - A folder saved by PEFT, with `adapter_config.json` and `adapter_model.safetensors`: its path (in Node), its
 *   address, or its files.
 * @returns `lora`, the base prepared for adapters, and `adapter`, the params on the device of the base.
 * @throws {FormatError} If the method is not LoRA, or the tensors do not fit the base.
 *
 * @example
 * ```ts
 * import { decoder } from "@qkv/transformer";
 * import { memoryFolder } from "@qkv/transformer/export";
 * import { loadAdapter, lora, saveAdapter } from "@qkv/transformer/adapters";
 *
 * const config = {
 *   vocabSize: 11, embedDim: 8, hiddenDim: 16, numLayers: 1, numHeads: 2, numKvHeads: 1,
 *   contextLength: 32, normEps: 1e-5, stopIds: [],
 * };
 * const base = { config, params: decoder(config).init(1) };
 * const tuned = lora(base, { r: 2, target_modules: ["q_proj"] });
 * const folder = memoryFolder();
 * await saveAdapter(tuned, tuned.init(2), { out: folder });
 *
 * const again = await loadAdapter(base, folder.files);
 * again.lora.modules; // => ["model.layers.0.self_attn.q_proj"]
 * ```
 */
export async function loadAdapter(
  model: AdaptableModel,
  source: string | URL | readonly File[],
  options?: ReadOptions,
): Promise<{ lora: Lora; adapter: AdapterParams }> {
  const check = checks("loadAdapter", { argument: "source" });
  checkAdaptable(check as Checks, model);
  const isFolder = (value: unknown) =>
    typeof value === "string" || value instanceof URL || Array.isArray(value);
  check.each({ source }, isFolder, "a folder: its path, its address, or its files");
  const reading: Reading = { ...options, check };
  const folder = Array.isArray(source)
    ? filesFolder(source as readonly File[], reading)
    : openFolder(source as string | URL, reading);
  const purpose = "the configuration of the adapter";
  const file = await requiredFile(folder, "adapter_config.json", purpose, smallFiles.configuration);
  const json = (await readJson(file, check)) as Record<string, unknown>;
  const config = readConfig(json, file);
  const weights = await safetensorsWeights(
    await requiredFile(folder, "adapter_model.safetensors", "the weights of the adapter"),
  );
  const stored = storedMatrices(model);
  const { modules, saved, files } = namesIn(weights, stored);
  if (weights.names.length === 0) refuse(weights, "tensors", "none", "factors of a module or more");
  checkRanks(weights, config, modules);
  const lora = adaptable(check as Checks, model, config, stored, modules, saved);
  const { device } = model.params.embedding.weight;
  const expectedTensors = lora.tensors(lora.init(0));
  const readTensor = async (nameInFile: string, { shape }: Tensor): Promise<Tensor> => {
    const fileShape = weights.shape(nameInFile);
    if (fileShape?.join() !== shape.join()) {
      refuse(weights, nameInFile, fileShape && `a tensor [${fileShape.join(", ")}]`, `[${shape.join(", ")}]`);
    }
    const values = new Float32Array(sizeOf(shape));
    let at = 0;
    for await (const chunk of weights.chunks(nameInFile)) {
      values.set(chunk, at);
      at += chunk.length;
    }
    return tensor(values, { shape }).to(device);
  };
  const used = new Set(Object.keys(expectedTensors).map((name) => files.get(name) ?? name));
  for (const name of weights.names)
    if (isLoraTensor(name) && !used.has(name)) {
      const expected =
        "lora_A and lora_B of each module, and the tensors that `use_dora` and `lora_bias` enable";
      refuse(weights, name, "an unexpected tensor", expected);
    }
  const tensors: Record<string, Tensor> = {};
  for (const [name, shapeTensor] of Object.entries(expectedTensors))
    tensors[name] = await readTensor(files.get(name) ?? name, shapeTensor);
  return { lora, adapter: lora.fromTensors(tensors) };
}

/** Refuses a rank that the file's factors do not have, before anything of that size is made. */
function checkRanks(weights: WeightFile, config: FullConfig, modules: readonly string[]): void {
  for (const module of modules) {
    const kinds = ["lora_A.weight", "lora_embedding_A"].map((kind) => `base_model.model.${module}.${kind}`);
    const name = kinds.find((one) => weights.shape(one) !== undefined)!;
    const shape = weights.shape(name)!;
    const rank = config.maps.rank(module);
    if (shape[0] !== rank)
      refuse(
        weights,
        name,
        `a tensor [${shape.join(", ")}]`,
        `the rank of adapter_config.json, [${rank}, in]`,
      );
  }
}

/** True for a LoRA tensor; false for a tensor of the base that is saved with the adapter. */
const isLoraTensor = (name: string): boolean =>
  /\.lora_(A|B|embedding_A|embedding_B|magnitude_vector)(\.|$)/.test(name);

/** Adapted modules, fully trained tensors, and names in the file that differ from the names PEFT writes now. */
function namesIn(weights: WeightFile, stored: ReadonlyMap<string, StoredMatrix>) {
  const [modules, saved, files] = [new Set<string>(), new Set<string>(), new Map<string, string>()];
  const namePairs = weights.names.map((name) => {
    const tensorName = name.replace(/^base_model\.model\./, "");
    if (tensorName === name)
      refuse(weights, name, "a tensor of another kind", "names that begin with base_model.model");
    return [name, tensorName] as const;
  });
  for (const [name, tensorName] of namePairs) {
    const [, module] = /^(.+)\.(?:lora_A\.weight|lora_embedding_A)$/.exec(tensorName) ?? [];
    if (module === undefined) continue;
    if (stored.get(`${module}.weight`)?.isNorm !== false)
      refuse(weights, name, `a change of ${module}`, "a matrix that the base has");
    modules.add(module);
  }
  for (const [name, tensorName] of namePairs) {
    // Older versions of PEFT name magnitudes `weight`.
    if (tensorName.endsWith(".lora_magnitude_vector.weight")) files.set(name.replace(/\.weight$/, ""), name);
    if (isLoraTensor(tensorName)) continue;
    const baseTensor = tensorName.replace(/\.(base_layer|modules_to_save)\./, ".");
    const [, module, kind] = /^(.*)\.(weight|bias)$/.exec(baseTensor) ?? [];
    // The base matrix of an adapted embedding.
    if (kind === "weight" && modules.has(module!)) continue;
    if (!stored.has(baseTensor))
      refuse(weights, name, `a change of ${baseTensor}`, "a tensor that the base has");
    saved.add(baseTensor);
    files.set(`base_model.model.${savedName(baseTensor, modules)}`, name);
  }
  // Modules and tensors are in the order of the base, not of the file.
  const names = [...stored.keys()];
  return {
    modules: names.flatMap((name) => {
      const module = name.replace(/\.weight$/, "");
      return modules.has(module) ? [module] : [];
    }),
    saved: names.filter((name) => saved.has(name)),
    files,
  };
}

function refuse(weights: WeightFile, argument: string, received: unknown, expected: string): never {
  const fix = "the adapter was trained on another model; give the one that it names.";
  return checks("loadAdapter", { source: weights.name, fix }, FormatError).refuse({
    argument,
    received,
    expected,
  });
}
