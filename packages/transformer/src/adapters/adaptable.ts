import type { Checks } from "@qkv/core";
import { contiguous, splitSeed, transpose, type Tensor } from "@qkv/tensor";
import { isQuantized, type QuantizedWeight } from "@qkv/tensor/quantized";
import type { TokenIds } from "../models/check-ids.js";
import { decoder, type DecoderOptions, type DecoderParams } from "../models/decoder.js";
import type { Model } from "../models/model.js";
import { adaptedMatrix, adaptedTable, computeResident, type LoraParams } from "./adapted-module.js";
import { leafAt, withLeaves } from "./leaves.js";
import type { FullConfig } from "./lora-config.js";
import { matrixInputs } from "./matrix-inputs.js";
import { adaptedLinear, floatMatrix } from "./low-rank-weight.js";
import { paramFromStored, storedFromParams, type StoredMatrix } from "./stored-matrices.js";

/** The params of an adapter: the trained tensors, without the weights of the base model. */
export type AdapterParams = {
  /** LoRA factors by module name, with `/` in place of each dot, because dots separate paths of params. */
  modules: Record<string, LoraParams>;
  /** Fully trained matrices, biases and norms of the base (`modules_to_save`), as stored in files, by the same names with `/weight` or `/bias`. */
  saved?: Record<string, Tensor>;
};

/** A base model prepared for adapters. It holds the weights of the base; an adapter is an argument of each call. */
export type Lora = {
  /** All fields of `adapter_config.json`. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Names of the adapted modules. */
  readonly modules: readonly string[];
  /** A new adapter, which changes nothing yet: A is random, B is 0. */
  init(seed: number): AdapterParams;
  /**
   * Token ids to logits `[B, T, V]`, with an unmerged adapter. `dropoutSeed` enables `lora_dropout`
   * and the dropout of the base.
   */
  apply(adapter: AdapterParams, ids: TokenIds, options?: DecoderOptions): Tensor;
  /** The base with an unmerged adapter, as a model for `generate`. It shares the weights of the base. */
  model(adapter: AdapterParams): Model;
  /** The base with an adapter merged into its matrices. Changed matrices become float32. */
  merge(adapter: AdapterParams): Model;
  /** The tensors of an adapter, or of its gradient, by their names in `adapter_model.safetensors`. */
  tensors(adapter: AdapterParams): Record<string, Tensor>;
  /** Adapted embedding matrices of the base, which PEFT saves with the adapter, by their names in the file. */
  adaptedTables(): Record<string, Tensor>;
  /** The adapter with these tensors, by their names in the file. */
  fromTensors(tensors: Readonly<Record<string, Tensor>>): AdapterParams;
};

/** A decoder with its weights, which may be quantized to 8 or 4 bits. */
export type AdaptableModel = Pick<Model, "config" | "params"> & Partial<Model>;

/** True for an embedding matrix. */
export const isTable = ({ parts }: StoredMatrix): boolean =>
  parts.some(({ path }) => /(^|\.)(embedding|positions|hashes)\.weight$/.test(path));

/** The key of a module in {@link AdapterParams}. */
export const adapterKey = (name: string): string => name.replaceAll(".", "/");

/**
 * Prepares a model for adapters of the named modules.
 *
 * @param names - Adapted modules.
 * @param savedNames - Tensors of the checkpoint that are trained fully.
 */
export function adaptable(
  check: Checks,
  model: AdaptableModel,
  config: FullConfig,
  stored: ReadonlyMap<string, StoredMatrix>,
  names: readonly string[],
  savedNames: readonly string[],
): Lora {
  const base = model.params;
  const { device } = base.embedding.weight;
  const network = decoder(model.config, { linear: adaptedLinear() });
  const inputsAt = matrixInputs(model);
  const modules = names.map((name) => {
    const matrix = stored.get(`${name}.weight`)!;
    const table = isTable(matrix);
    if (config.maps.hasMagnitudes && (table || matrix.transposed)) {
      check.refuse({
        argument: "use_dora",
        received: true,
        expected: `false, as ${name} is ${table ? "a table" : "stored as [in, out]"}`,
        fix: "leave `use_dora` out, or the module.",
      });
    }
    const inputs = inputsAt(matrix.parts[0]!.path);
    return (table ? adaptedTable : adaptedMatrix)({ base, device, name, matrix, inputs, config });
  });
  const saved = savedNames.map((name) => ({ name, matrix: stored.get(name)! }));
  const adapted = new Set(names);
  const isTransposed = names.some((name) => stored.get(`${name}.weight`)!.transposed);

  const refuse = (adapter: unknown, name: string): never =>
    check.refuse({
      argument: "adapter",
      received: adapter,
      expected: `the params of an adapter, with those of ${name}`,
      fix: "take them from `init(seed)` or from `loadAdapter`.",
    });
  const loraParams = (adapter: AdapterParams, name: string): LoraParams => {
    const { a, b, ...more } =
      (adapter as Partial<AdapterParams> | undefined)?.modules?.[adapterKey(name)] ?? {};
    return a && b ? { a, b, ...more } : refuse(adapter, name);
  };
  const savedTensor = (adapter: AdapterParams, name: string): Tensor =>
    adapter.saved?.[adapterKey(name)] ?? refuse(adapter, name);
  const savedLeaves = (adapter: AdapterParams) =>
    saved.flatMap(({ name, matrix }) =>
      matrix.parts.map((part): [string, Tensor] => [
        part.path,
        paramFromStored(matrix, part, savedTensor(adapter, name)),
      ]),
    );
  const paramsWith = (adapter: AdapterParams, dropoutSeed?: number): DecoderParams => {
    const seeds = dropoutSeed === undefined ? [] : splitSeed(dropoutSeed, modules.length);
    const leaves = modules.flatMap((module, i) => module.leaves(loraParams(adapter, module.name), seeds[i]));
    return withLeaves(base, new Map([...leaves, ...savedLeaves(adapter)]));
  };
  const modelWith = (params: DecoderParams): Model => ({
    ...{ ...model, tokenizer: model.tokenizer, params },
    apply: network.apply,
  });

  return {
    config: isTransposed ? { ...config.json, fan_in_fan_out: true } : config.json,
    modules: names,
    init(seed) {
      const seeds = splitSeed(seed, 2 * modules.length);
      const factors = modules.map((module, i) => [
        adapterKey(module.name),
        module.init(seeds[2 * i]!, seeds[2 * i + 1]!),
      ]);
      const copies = saved.map(({ name, matrix }) => {
        const parts = () =>
          matrix.parts.map(({ path }) => {
            const weight = leafAt(base, path) as Tensor | QuantizedWeight;
            return floatMatrix(weight, isQuantized(weight) ? inputsAt(path) : 0);
          });
        return [adapterKey(name), computeResident(device, () => storedFromParams(matrix, parts()))];
      });
      return {
        modules: Object.fromEntries(factors) as AdapterParams["modules"],
        ...(copies.length > 0 && { saved: Object.fromEntries(copies) as Record<string, Tensor> }),
      };
    },
    apply(adapter, ids, options = {}) {
      const { dropoutSeed } = options;
      const seeds = dropoutSeed === undefined ? undefined : splitSeed(dropoutSeed, ["model", "adapter"]);
      const call = seeds ? { ...options, dropoutSeed: seeds.model } : options;
      return device.scope(() => network.apply(paramsWith(adapter, seeds?.adapter), ids, call));
    },
    model: (adapter) => modelWith(paramsWith(adapter)),
    merge(adapter) {
      const params = withLeaves(base, new Map(savedLeaves(adapter)));
      const leaves = modules.flatMap((module) => module.merged(loraParams(adapter, module.name), params));
      return modelWith(withLeaves(params, new Map(leaves)));
    },
    tensors(adapter) {
      const factors = modules.flatMap(({ name, names }) =>
        Object.entries(loraParams(adapter, name)).map(([key, x]): [string, Tensor] => [
          `base_model.model.${name}.${names[key as keyof LoraParams]}`,
          x,
        ]),
      );
      const savedTensors = saved.map(({ name, matrix }): [string, Tensor] => {
        const x = savedTensor(adapter, name);
        return [
          `base_model.model.${savedName(name, adapted)}`,
          isTransposedMatrix(matrix, x) ? contiguous(transpose(x)) : x,
        ];
      });
      return Object.fromEntries([...factors, ...savedTensors]);
    },
    adaptedTables() {
      const tables = names.filter((name) => isTable(stored.get(`${name}.weight`)!));
      return Object.fromEntries(
        tables.map((name) => [
          `base_model.model.${name}.base_layer.weight`,
          leafAt(base, stored.get(`${name}.weight`)!.parts[0]!.path) as Tensor,
        ]),
      );
    },
    fromTensors(tensors) {
      const fileTensor = (name: string): Tensor => {
        const x = tensors[`base_model.model.${name}`];
        return x ?? refuse(Object.keys(tensors), name);
      };
      const factors = modules.map(({ name, names }) => {
        const has = (key: keyof LoraParams) => `base_model.model.${name}.${names[key]}` in tensors;
        const keys = (["a", "b", "offset", "magnitude"] as const).filter(
          (key) => key === "a" || key === "b" || has(key),
        );
        return [
          adapterKey(name),
          Object.fromEntries(keys.map((key) => [key, fileTensor(`${name}.${names[key]}`)])),
        ];
      });
      const savedTensors = saved.map(({ name, matrix }) => {
        const x = fileTensor(savedName(name, adapted));
        return [
          adapterKey(name),
          isTransposedMatrix(matrix, x) ? computeResident(device, () => contiguous(transpose(x))) : x,
        ];
      });
      return {
        modules: Object.fromEntries(factors) as AdapterParams["modules"],
        ...(savedTensors.length > 0 && { saved: Object.fromEntries(savedTensors) as Record<string, Tensor> }),
      };
    },
  };
}

/** True for a matrix that a file stores as `[in, out]`. */
const isTransposedMatrix = ({ transposed }: StoredMatrix, { shape }: Tensor): boolean =>
  transposed && shape.length === 2;

/** The file name of a fully trained tensor. In an adapted module, it is that of the inner `base_layer`. */
export function savedName(name: string, adapted: ReadonlySet<string>): string {
  const [, module, kind] = /^(.*)\.(weight|bias)$/.exec(name)!;
  return adapted.has(module!) ? `${module}.base_layer.${kind}` : name;
}
