import type { Checks } from "@qkv/core";
import { add, contiguous, splitSeed, sub, transpose, type Tensor } from "@qkv/tensor";
import { isQuantized, type QuantizedWeight } from "@qkv/tensor/quantized";
import { decoder, type DecoderOptions, type DecoderParams } from "../models/decoder.js";
import type { Model } from "../models/model.js";
import { adaptedMatrix, adaptedTable, kept, type LoraParams } from "./adapted-module.js";
import { leafAt, withLeaves } from "./leaves.js";
import type { FullConfig } from "./lora-config.js";
import { matrixInputs } from "./matrix-inputs.js";
import { adaptedLinear, floatsOf } from "./low-rank-weight.js";
import { rowsOfPart, storedRows, type StoredMatrix } from "./stored-matrices.js";

/** The params of an adapter: what is trained, and nothing of the base. */
export type AdapterParams = {
  /** By the names of modules, with `/` for each dot, since paths of params are told by dots. */
  modules: Record<string, LoraParams>;
  /** Matrices, biases and norms of the base that are trained whole, as files store them, by the same names with `/weight` or `/bias`. */
  saved?: Record<string, Tensor>;
};

/** A model with room for adapters. It holds the weights of the base, and no adapter. */
export type Lora = {
  /** All fields of `adapter_config.json`. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Names of the adapted modules. */
  readonly modules: readonly string[];
  /** An adapter that changes nothing yet: A is random, B is 0. */
  init(seed: number): AdapterParams;
  /**
   * Token ids to logits `[B, T, V]`, through the base with an adapter beside its matrices. A `dropoutSeed` drops what `lora_dropout`
   * and the configuration of the base say.
   */
  apply(adapter: AdapterParams, ids: Tensor | readonly number[], options?: DecoderOptions): Tensor;
  /** The base with an adapter beside its matrices: a model that generates. Its weights are the base's own. */
  model(adapter: AdapterParams): Model;
  /** The base with an adapter merged into its matrices: those that it changes become float32. */
  merge(adapter: AdapterParams): Model;
  /** The tensors of an adapter, or of its gradient, by the names that `adapter_model.safetensors` has for them. */
  tensors(adapter: AdapterParams): Record<string, Tensor>;
  /** Tables of the base that are adapted, which PEFT saves beside their change, by names of the file. */
  adaptedTables(): Record<string, Tensor>;
  /** The adapter whose tensors are these, by names of the file. */
  fromTensors(tensors: Readonly<Record<string, Tensor>>): AdapterParams;
};

/** A decoder with its weights, which may be rounded to 8 or 4 bits. */
export type AdaptableModel = Pick<Model, "config" | "params"> & Partial<Model>;

/** True for a table of rows that a model looks up. */
export const isTable = ({ parts }: StoredMatrix): boolean =>
  parts.some(({ path }) => /(^|\.)(embedding|positions|hashes)\.weight$/.test(path));

/** The key of a name in params. */
export const keyOf = (name: string): string => name.replaceAll(".", "/");

/**
 * A model with room for adapters of the modules named.
 *
 * @param names - Adapted modules.
 * @param savedNames - Tensors of the checkpoint that are trained whole.
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
      fix: "take them of `init(seed)`, or of `loadAdapter`.",
    });
  const paramsOf = (adapter: AdapterParams, name: string): LoraParams => {
    const { a, b, ...more } = (adapter as Partial<AdapterParams> | undefined)?.modules?.[keyOf(name)] ?? {};
    return a && b ? { a, b, ...more } : refuse(adapter, name);
  };
  const savedOf = (adapter: AdapterParams, name: string): Tensor =>
    adapter.saved?.[keyOf(name)] ?? refuse(adapter, name);
  const savedLeaves = (adapter: AdapterParams) =>
    saved.flatMap(({ name, matrix }) =>
      matrix.parts.map(({ path, rows }): [string, Tensor] => {
        const part = rowsOfPart(savedOf(adapter, name), rows);
        return [path, matrix.offset === 0 ? part : add(part, matrix.offset)];
      }),
    );
  const paramsWith = (adapter: AdapterParams, dropoutSeed?: number): DecoderParams => {
    const seeds = dropoutSeed === undefined ? [] : splitSeed(dropoutSeed, modules.length);
    const leaves = modules.flatMap((one, i) => one.leaves(paramsOf(adapter, one.name), seeds[i]));
    return withLeaves(base, new Map([...leaves, ...savedLeaves(adapter)]));
  };
  const modelOf = (params: DecoderParams): Model => ({
    ...{ ...model, tokenizer: model.tokenizer, params },
    apply: network.apply,
  });

  return {
    config: isTransposed ? { ...config.json, fan_in_fan_out: true } : config.json,
    modules: names,
    init(seed) {
      const seeds = splitSeed(seed, 2 * modules.length);
      const made = modules.map((one, i) => [keyOf(one.name), one.init(seeds[2 * i]!, seeds[2 * i + 1]!)]);
      const copies = saved.map(({ name, matrix }) => {
        const parts = () =>
          matrix.parts.map(({ path }) => {
            const weight = leafAt(base, path) as Tensor | QuantizedWeight;
            return floatsOf(weight, isQuantized(weight) ? inputsAt(path) : 0);
          });
        // A difference, so that the copy has memory of its own.
        return [keyOf(name), kept(device, () => sub(storedRows(matrix, parts()), matrix.offset))];
      });
      return {
        modules: Object.fromEntries(made) as AdapterParams["modules"],
        ...(copies.length > 0 && { saved: Object.fromEntries(copies) as Record<string, Tensor> }),
      };
    },
    apply(adapter, ids, options = {}) {
      const { dropoutSeed } = options;
      const seeds = dropoutSeed === undefined ? undefined : splitSeed(dropoutSeed, ["model", "adapter"]);
      const call = seeds ? { ...options, dropoutSeed: seeds.model } : options;
      return device.scope(() => network.apply(paramsWith(adapter, seeds?.adapter), ids, call));
    },
    model: (adapter) => modelOf(paramsWith(adapter)),
    merge(adapter) {
      const leaves = modules.flatMap((one) => one.merged(paramsOf(adapter, one.name)));
      return modelOf(withLeaves(base, new Map([...leaves, ...savedLeaves(adapter)])));
    },
    tensors(adapter) {
      const own = modules.flatMap(({ name, names }) =>
        Object.entries(paramsOf(adapter, name)).map(([key, x]): [string, Tensor] => [
          `base_model.model.${name}.${names[key as keyof LoraParams]}`,
          x,
        ]),
      );
      const others = saved.map(({ name, matrix }): [string, Tensor] => {
        const x = savedOf(adapter, name);
        return [
          `base_model.model.${savedName(name, adapted)}`,
          isExchanged(matrix, x) ? contiguous(transpose(x)) : x,
        ];
      });
      return Object.fromEntries([...own, ...others]);
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
      const given = (name: string): Tensor => {
        const x = tensors[`base_model.model.${name}`];
        return x ?? refuse(Object.keys(tensors), name);
      };
      const made = modules.map(({ name, names }) => {
        const has = (key: keyof LoraParams) => `base_model.model.${name}.${names[key]}` in tensors;
        const keys = (["a", "b", "offset", "magnitude"] as const).filter(
          (key) => key === "a" || key === "b" || has(key),
        );
        return [keyOf(name), Object.fromEntries(keys.map((key) => [key, given(`${name}.${names[key]}`)]))];
      });
      const others = saved.map(({ name, matrix }) => {
        const x = given(savedName(name, adapted));
        return [keyOf(name), isExchanged(matrix, x) ? kept(device, () => contiguous(transpose(x))) : x];
      });
      return {
        modules: Object.fromEntries(made) as AdapterParams["modules"],
        ...(others.length > 0 && { saved: Object.fromEntries(others) as Record<string, Tensor> }),
      };
    },
  };
}

/** True for a matrix that a file holds as `[in, out]`. */
const isExchanged = ({ transposed }: StoredMatrix, { shape }: Tensor): boolean =>
  transposed && shape.length === 2;

/** The name of a tensor that is trained whole: one of an adapted module is that of the layer inside. */
export function savedName(name: string, adapted: ReadonlySet<string>): string {
  const [, module, kind] = /^(.*)\.(weight|bias)$/.exec(name)!;
  return adapted.has(module!) ? `${module}.base_layer.${kind}` : name;
}
