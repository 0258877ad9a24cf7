import { checks, FormatError } from "@qkv/core";
import type { WeightFile } from "../loading/weight-file.js";
import type { AdapterConfig } from "./adapter-config.js";

/** Factors of the low-rank change of a matrix, in the layout of the base. */
type Factors = {
  /** `[rows, r]` */
  readonly left: Float32Array;
  /** `[r, columns]` */
  readonly right: Float32Array;
  readonly shape: readonly [rows: number, columns: number];
  readonly rank: number;
  readonly scale: number;
  /** DoRA: the magnitude (norm) of each row, `[rows]`. */
  readonly magnitudes: Float32Array | undefined;
};

/**
 * The weights of a base model with those of an adapter: W + s B A for matrices that have factors, b + s b' for biases, other
 * tensors of the adapter in place of those of the base. Adapted tensors are read as float32.
 *
 * @param base - With the tensor names of Hugging Face.
 * @param adapter - `adapter_model.safetensors` of PEFT.
 * @param isConv1D - True for a module whose matrix the base stores as `[in, out]`. As in PEFT, this depends on the class of the
 *   module in the base, not on `fan_in_fan_out`.
 */
export async function adaptedWeights(
  base: WeightFile,
  adapter: WeightFile,
  config: AdapterConfig,
  isConv1D: (module: string) => boolean,
): Promise<WeightFile> {
  const check = checks(
    base.fn,
    { source: adapter.name, fix: "the adapter was trained on another model; give the one that it names." },
    FormatError,
  );
  const factors = new Map<string, Factors>();
  /** Biases to add, their scale, and their length. */
  const biases = new Map<string, { name: string; scale: number; shape: readonly number[] }>();
  /** Tensors of the base that the adapter replaces. */
  const saved = new Map<string, string>();
  const fix = "the file of the adapter is not whole; fetch it again.";
  check.each({ tensors: adapter.names }, (names) => (names as string[]).length > 0, "one or more", fix);
  for (const name of adapter.names) {
    const tensorName = name.replace(/^base_model\.model\./, "");
    if (tensorName === name) {
      check.refuse({
        argument: name,
        received: "a tensor of another kind",
        expected: "names that begin with base_model.model, as PEFT writes them",
        fix: "save the adapter with PEFT's `save_pretrained`.",
      });
    }
    const [, module, kind] = /^(.+)\.(lora_A\.weight|lora_embedding_A|lora_B\.bias)$/.exec(tensorName) ?? [];
    if (module === undefined) {
      const [, stem] =
        /^(.+\.lora_)(?:B\.weight|embedding_B|magnitude_vector(?:\.weight)?)$/.exec(tensorName) ?? [];
      if (stem !== undefined) {
        const prefix = `base_model.model.${stem}`;
        const hasA = () => [`${prefix}A.weight`, `${prefix}embedding_A`].some((key) => adapter.shape(key));
        check.each({ [name]: adapter.shape(name) }, hasA, "the first factor, lora_A, in the same file", fix);
      } else {
        const replaced = baseName(base, tensorName.replace(/\.(base_layer|modules_to_save)\./, "."));
        if (!base.shape(replaced)) refuseMissing(name, replaced);
        saved.set(replaced, name);
      }
      continue;
    }
    if (kind === "lora_B.bias") {
      const bias = baseName(base, `${module}.bias`);
      biases.set(bias, { name, scale: config.scale(module), shape: adapter.shape(name)! });
      continue;
    }
    const weight = baseName(base, `${module}.weight`);
    if (!base.shape(weight)) refuseMissing(name, weight);
    factors.set(weight, await readFactors(module, kind === "lora_embedding_A"));
  }

  function refuseMissing(name: string, missing: string): never {
    return check.refuse({
      argument: name,
      received: `a change of ${missing}`,
      expected: `a tensor that ${base.name} has`,
    });
  }

  async function readFactors(module: string, isTable: boolean): Promise<Factors> {
    const prefix = `base_model.model.${module}.`;
    const [a, b] = isTable
      ? [`${prefix}lora_embedding_A`, `${prefix}lora_embedding_B`]
      : [`${prefix}lora_A.weight`, `${prefix}lora_B.weight`];
    const [rank, inner] = adapter.shape(a)!;
    const [out, other] = adapter.shape(b) ?? [];
    if (inner === undefined || out === undefined || other !== rank || rank !== config.rank(module)) {
      check.refuse({
        argument: b,
        received: `factors [${adapter.shape(b)?.join(", ")}] and [${adapter.shape(a)!.join(", ")}]`,
        expected: `[out, ${config.rank(module)}] and [${config.rank(module)}, in], the rank of adapter_config.json`,
        fix: "the files of the adapter do not belong together; fetch it again.",
      });
    }
    const [A, B] = [await readFloats(adapter, a), await readFloats(adapter, b)];
    const stored = [`${prefix}lora_magnitude_vector`, `${prefix}lora_magnitude_vector.weight`];
    const magnitudes = stored.find((name) => adapter.shape(name));
    // In an embedding matrix, tokens are rows, and A has a column per token.
    const isTransposed = isTable || isConv1D(module);
    if (config.hasMagnitudes !== (magnitudes !== undefined) || (magnitudes && isTransposed)) {
      check.refuse({
        argument: stored[0]!,
        received: magnitudes ? "magnitudes" : "no magnitudes",
        expected: config.hasMagnitudes
          ? "magnitudes of the rows of a matrix [out, in], because `use_dora` is true"
          : "none, because `use_dora` is false",
        fix: "merge the adapter with PEFT's `merge_and_unload`, and load the model that it saves.",
      });
    }
    return {
      ...(isTransposed
        ? { left: transposed(A, rank!, inner!), right: transposed(B, out!, rank!), shape: [inner!, out!] }
        : { left: B, right: A, shape: [out!, inner!] }),
      ...{ rank: rank!, scale: config.scale(module) },
      magnitudes: magnitudes === undefined ? undefined : await readFloats(adapter, magnitudes),
    };
  }

  for (const [name, { shape }] of factors) {
    const stored = saved.has(name) ? adapter.shape(saved.get(name)!)! : base.shape(name)!;
    if (stored.length === 2 && stored.every((size, axis) => size === shape[axis])) continue;
    check.refuse({
      argument: name,
      received: `a matrix [${stored.join(", ")}]`,
      expected: `[${shape.join(", ")}], which the factors of the adapter have`,
    });
  }

  const isAdapted = (name: string) => factors.has(name) || biases.has(name) || saved.has(name);
  const storedChunks = (name: string) =>
    saved.has(name) ? adapter.chunks(saved.get(name)!) : base.chunks(name);
  return {
    ...base,
    names: [...new Set([...base.names, ...saved.keys(), ...biases.keys()])],
    shape: (name) =>
      saved.has(name) ? adapter.shape(saved.get(name)!) : (base.shape(name) ?? biases.get(name)?.shape),
    half: (name) => (isAdapted(name) ? undefined : base.half?.(name)),
    async *chunks(name) {
      const change = factors.get(name);
      const bias = biases.get(name);
      if (change?.magnitudes) yield withMagnitudes(await collect(storedChunks(name)), change);
      else if (change) yield* plusProduct(storedChunks(name), change);
      else if (bias) {
        const added = await readFloats(adapter, bias.name);
        const hasBias = saved.has(name) || base.shape(name) !== undefined;
        const from = hasBias ? await collect(storedChunks(name)) : new Float32Array(added.length);
        yield from.map((x, i) => x + bias.scale * added[i]!);
      } else yield* storedChunks(name);
    },
  };
}

/** The name of a tensor in the files of the base, which may lack the first part of the module name, as in GPT-2. */
function baseName(base: WeightFile, name: string): string {
  const short = name.slice(name.indexOf(".") + 1);
  return base.shape(name) === undefined && base.shape(short) !== undefined ? short : name;
}

/** Writes a row of the product of the factors, times the scale, to `to`, `[columns]`. */
function productRow(
  { left, right, rank, scale, shape: [, columns] }: Factors,
  row: number,
  to: Float64Array,
): void {
  to.fill(0);
  for (let k = 0; k < rank; k++) {
    const factor = scale * left[row * rank + k]!;
    for (let i = 0; i < columns; i++) to[i]! += factor * right[k * columns + i]!;
  }
}

/** W + s B A, chunk by chunk. */
async function* plusProduct(
  chunks: AsyncIterable<Float32Array>,
  factors: Factors,
): AsyncGenerator<Float32Array> {
  const [, columns] = factors.shape;
  const row = new Float64Array(columns);
  let [at, computed] = [0, -1];
  for await (const chunk of chunks) {
    const sums = new Float32Array(chunk.length);
    for (let i = 0; i < chunk.length; i++, at++) {
      const rowIndex = Math.floor(at / columns);
      if (rowIndex !== computed) productRow(factors, (computed = rowIndex), row);
      sums[i] = chunk[i]! + row[at - rowIndex * columns]!;
    }
    yield sums;
  }
}

/** DoRA: W + s B A with rows scaled to the learned magnitudes. */
function withMagnitudes(weight: Float32Array, factors: Factors): Float32Array {
  const [rows, columns] = factors.shape;
  const row = new Float64Array(columns);
  // Chunks of a file may be views, which must not be changed.
  const adapted = new Float32Array(weight.length);
  for (let o = 0; o < rows; o++) {
    productRow(factors, o, row);
    let squares = 0;
    for (let i = 0; i < columns; i++) {
      row[i]! += weight[o * columns + i]!;
      squares += row[i]! ** 2;
    }
    const factor = factors.magnitudes![o]! / Math.sqrt(squares);
    for (let i = 0; i < columns; i++) adapted[o * columns + i] = factor * row[i]!;
  }
  return adapted;
}

/** `[rows, columns]` to `[columns, rows]` */
function transposed(x: Float32Array, rows: number, columns: number): Float32Array {
  return Float32Array.from(x, (_, i) => x[(i % rows) * columns + Math.floor(i / rows)]!);
}

const readFloats = (file: WeightFile, name: string): Promise<Float32Array> => collect(file.chunks(name));

async function collect(chunks: AsyncIterable<Float32Array>): Promise<Float32Array> {
  const list: Float32Array[] = [];
  for await (const chunk of chunks) list.push(chunk);
  if (list.length === 1) return list[0]!;
  const values = new Float32Array(list.reduce((length, chunk) => length + chunk.length, 0));
  let at = 0;
  for (const chunk of list) {
    values.set(chunk, at);
    at += chunk.length;
  }
  return values;
}
