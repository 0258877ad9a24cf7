import { checks, type Checks } from "@qkv/core";
import { adaptable, isTable, type AdaptableModel, type Lora } from "./adaptable.js";
import { fitsPattern } from "./adapter-config.js";
import { completeConfig, type LoraConfig } from "./lora-config.js";
import { storedMatrices } from "./stored-matrices.js";
import { isNamed, targetModules } from "./target-modules.js";

/**
 * Low-rank adaptation: the matrices W of a model are frozen, and `W + s B A` is computed in their place, with two low-rank
 * matrices A and B. Only these have gradients and optimizer state. The base may be quantized to 8 or 4 bits (QLoRA).
 *
 * The result has `apply(adapter, ids)`, so that `tokenLoss(lora(…))` is the loss of an adapter. One base serves any number of
 * adapters: the adapter is an argument of each call.
 *
 * @param model - The base model, from `load` or as `{ config, params }`. It is not changed.
 * @param config - With the field names of PEFT: `r`, `lora_alpha`, `target_modules`.
 * @throws {ArgumentError} If no module has one of the given names, or a field enables an unsupported variant.
 * @see "LoRA: Low-Rank Adaptation of Large Language Models" (2021), arXiv:2106.09685; "QLoRA: Efficient Finetuning of
 *   Quantized LLMs" (2023), arXiv:2305.14314; "DoRA: Weight-Decomposed Low-Rank Adaptation" (2024), arXiv:2402.09353
 *
 * @example
 * ```ts
 * import { adamW } from "@qkv/tensor/optimizers";
 * import { decoder } from "@qkv/transformer";
 * import { lora } from "@qkv/transformer/adapters";
 * import { nextTokenBatches, tokenLoss, train } from "@qkv/transformer/training";
 *
 * const config = {
 *   vocabSize: 11, embedDim: 8, hiddenDim: 16, numLayers: 2, numHeads: 2, numKvHeads: 1,
 *   contextLength: 32, normEps: 1e-5, stopIds: [],
 * };
 * const base = { config, params: decoder(config).init(1) };
 * const tuned = lora(base, { r: 2, lora_alpha: 4, target_modules: ["q_proj", "v_proj"] });
 * const adapter = tuned.init(2);
 * const run = train({
 *   params: adapter,
 *   loss: tokenLoss(tuned),
 *   optimizer: adamW({ learningRate: 0.01 }),
 *   batchAt: nextTokenBatches([1, 2, 3, 1, 2, 3, 1, 2, 3], { batchSize: 1, contextLength: 4, seed: 3 }),
 *   steps: 2,
 * });
 * const losses = [];
 * for await (const { loss } of run) losses.push(loss);
 * losses.length; // => 2
 * tuned.modules.length; // => 4
 * tuned.apply(adapter, [1, 2]).shape; // => [1, 2, 11]
 * ```
 */
export function lora(model: AdaptableModel, config: LoraConfig): Lora {
  const check: Checks = checks("lora");
  checkAdaptable(check, model);
  const full = completeConfig(check, config);
  const stored = storedMatrices(model);
  const storedMatrix = (module: string) => stored.get(`${module}.weight`)!;
  const storedModules = [...stored.keys()]
    .filter((name) => name.endsWith(".weight"))
    .map((name) => name.slice(0, -".weight".length));
  const modules = storedModules.filter((name) => !storedMatrix(name).isNorm);
  const outputProjection = modules.find((name) => storedMatrix(name).parts[0]!.path === "output.weight");
  const isTarget = targetModules(config, outputProjection);
  const { target_modules: targets, exclude_modules: excluded, modules_to_save: savedNames = [] } = config;
  checkNames(check, "target_modules", targets === "all-linear" ? undefined : targets, modules);
  checkNames(check, "exclude_modules", excluded, modules);
  checkNames(check, "modules_to_save", savedNames, storedModules);
  const layers = [config.layers_to_transform ?? []].flat() as number[];
  for (const layer of layers)
    check.whole({ "config.layers_to_transform": layer }, { min: 0, max: model.config.numLayers - 1 });
  const adapted = modules.filter((name) => isTarget(name, isTable(storedMatrix(name))));
  if (adapted.length === 0) refuseNames(check, "target_modules", targets, modules);
  for (const field of ["rank_pattern", "alpha_pattern"] as const)
    for (const key of Object.keys(config[field] ?? {}))
      if (!adapted.some((name) => fitsPattern(name, key))) refuseNames(check, field, key, adapted);
  const fullyTrained = storedModules.filter((name) => isNamed(name, savedNames ?? []));
  const biases = [...(config.bias === "lora_only" ? adapted : []), ...fullyTrained].map(
    (name) => `${name}.bias`,
  );
  const saved = [
    ...fullyTrained.map((name) => `${name}.weight`),
    ...biases.filter((name) => stored.has(name)),
  ];
  return adaptable(check, model, full, stored, adapted, saved);
}

/** Refuses a value that is not a decoder with weights. */
export function checkAdaptable(check: Checks, model: unknown): void {
  const { config, params } = (model ?? {}) as { config?: unknown; params?: unknown };
  const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;
  const isDecoder = () => isObject(config) && isObject(params) && "layers" in params && "norm" in params;
  const fix = "load one with `load`, or make it of `decoder(config)`: { config, params }.";
  check.each({ model }, isDecoder, "a decoder: { config, params }", fix);
}

/** Refuses a suffix or a regular expression that matches no module. */
function checkNames(
  check: Checks,
  field: string,
  names: string | readonly string[] | null | undefined,
  modules: readonly string[],
): void {
  for (const name of typeof names === "string" ? [names] : (names ?? []))
    if (!modules.some((module) => isNamed(module, typeof names === "string" ? name : [name])))
      refuseNames(check, field, name, modules);
}

function refuseNames(check: Checks, field: string, received: unknown, modules: readonly string[]): never {
  const suffixes = [...new Set(modules.map((name) => name.split(".").at(-1)))];
  return check.refuse({
    argument: `config.${field}`,
    received,
    expected: `names of modules of the model, such as ${suffixes.slice(0, 8).join(", ")}`,
    fix: "give suffixes of names in a list, as in PEFT.",
  });
}
