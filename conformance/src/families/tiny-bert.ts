import { maskTensor } from "@qkv/attention";
import { cast, expandDims, type Tensor } from "@qkv/tensor";
import { loadEncoder, meanPooling, type EncoderModel } from "@qkv/transformer";
import type { DataFolder } from "../../data-folder.mjs";
import type { Source, Target } from "../case.js";
import { compareNumbers, mismatch, type Check } from "../check.js";
import { readCases } from "../data-files.js";
import { readTensor, type ReferenceTensor } from "../reference-tensor.js";
import { toTensor } from "../to-tensor.js";
import { tolerance } from "../tolerance.js";

/**
 * A Hugging Face folder with an encoder of the BERT family, whose `refs.json` has one batch and the outputs of the embeddings,
 * each layer and the pooling.
 */
export function tinyBert(data: DataFolder, family: string): Source | undefined {
  const folder = `models/${family}`;
  if (!isEncoder(data, `${folder}/config.json`)) return undefined;
  const file = `${folder}/refs.json`;
  let opened: Promise<EncoderModel> | undefined;
  const cases = readCases(data, file, ({ name, value }) => ({
    name,
    async run(target) {
      opened ??= loadEncoder(data.path(folder), { device: target.device });
      return compare(await opened, value, target);
    },
  }));
  return { family, file, cases };
}

function isEncoder(data: DataFolder, file: string): boolean {
  try {
    return (data.json(file) as { model_type?: unknown }).model_type === "bert";
  } catch {
    return false;
  }
}

async function compare(
  model: EncoderModel,
  value: Record<string, unknown>,
  target: Target,
): Promise<Check[]> {
  const byName = Object.fromEntries(
    list(value, "inputs").map((one) => [one.name, toTensor(one, target)]),
  ) as Record<string, Tensor>;
  const { input_ids, token_type_ids, attention_mask } = byName;
  if (!input_ids || !attention_mask) throw new Error("needs input_ids and attention_mask");
  const real = cast(attention_mask, "bool"); // [B, T]
  const traced: Record<string, Tensor> = {};
  const rows = model.apply(model.params, input_ids, {
    ...(token_type_ids && { types: token_type_ids }),
    mask: maskTensor(expandDims(expandDims(real, 1), 1)),
    trace: { names: ["embeddings", "output"], tensors: traced },
  });
  const ours: Record<string, Tensor | undefined> = {
    embeddings: traced["embeddings"],
    last_hidden_state: rows,
    mean_pooled: meanPooling(rows, real),
  };
  for (let i = 0; i < model.config.numLayers; i++) ours[`layer${i}`] = traced[`layers.${i}.output`];
  const limit = tolerance("embedding", target.class);
  const isReal = await real.read();
  return Promise.all(
    list(value, "outputs").map(async (reference) => {
      const actual = ours[reference.name];
      if (!actual) return mismatch(reference.name, limit, "is not known");
      const values = await actual.read();
      // Rows of padding are not compared.
      const seen = (numbers: ArrayLike<number>) =>
        actual.shape.length === 3
          ? Float64Array.from(numbers, (x, i) => (isReal[Math.floor(i / actual.shape[2]!)] ? x : 0))
          : numbers;
      return compareNumbers(
        reference.name,
        { shape: actual.shape, values: seen(values) },
        { shape: reference.shape, values: seen(reference.values as Float32Array) },
        limit,
      );
    }),
  );
}

function list(value: Record<string, unknown>, field: string): ReferenceTensor[] {
  const tensors = value[field];
  if (!Array.isArray(tensors) || tensors.length === 0) throw new Error(`has no ${field}`);
  return tensors.map(readTensor);
}
