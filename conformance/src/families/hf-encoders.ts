import { maskTensor } from "@qkv/attention";
import { cast, expandDims, reshape, slice, type Tensor } from "@qkv/tensor";
import {
  entailmentScores,
  labelScores,
  loadAny,
  taskLogits,
  type EncoderModel,
  type Model,
} from "@qkv/transformer";
import type { DataFolder } from "../../data-folder.mjs";
import type { Case, Target } from "../case.js";
import { compareNumbers, mismatch, type Check } from "../check.js";
import { readTensor, type ReferenceTensor } from "../reference-tensor.js";
import { toTensor } from "../to-tensor.js";
import { tolerance } from "../tolerance.js";
import { caseName, modelFiles } from "./model-files.js";

type Entry = { name: string; inputs: unknown[]; outputs: unknown[] };

/** Cases of a text encoder: rows of tokens, pooled rows, and outputs of its head. */
export function encoderCases(
  data: DataFolder,
  path: string,
  entries: readonly Entry[],
  config: string,
): Case[] {
  const opened = new Map<Target["device"], Promise<Model | EncoderModel>>();
  const open = ({ device }: Target) => {
    const model =
      opened.get(device) ??
      (loadAny(modelFiles(data, path, config), { device }) as Promise<Model | EncoderModel>);
    opened.set(device, model);
    return model;
  };
  return entries.map(({ name, inputs, outputs }) => ({
    name: caseName(path, config, name),
    run: async (target) =>
      compareEncoder(await open(target), inputs.map(readTensor), outputs.map(readTensor), target),
  }));
}

/** Compares a model's outputs with those of a case. */
export async function compareEncoder(
  model: Model | EncoderModel,
  inputs: readonly ReferenceTensor[],
  outputs: readonly ReferenceTensor[],
  target: Target,
): Promise<Check[]> {
  const given = Object.fromEntries(inputs.map((one) => [one.name, one]));
  const { input_ids, attention_mask } = given;
  if (!input_ids) throw new Error("needs input_ids");
  const real = attention_mask && Array.from(attention_mask.values, Number);
  const traced: Record<string, Tensor> = {};
  const rows = rowsOf(model, given, traced, target);
  const actual = namedOutputs(model, rows, traced, attention_mask && toTensor(attention_mask, target));
  const [, T] = input_ids.shape as [number, number];
  return Promise.all(
    outputs.map(async (reference) => {
      const { name, shape } = reference;
      const isLogits = name.includes("logits");
      const limit = tolerance(isLogits ? "logits" : "embedding", target.class);
      const ours = actual(name);
      if (!ours) return mismatch(name, limit, "is not known");
      // References after each layer exist for the first text only.
      const seen = name.startsWith("hidden.") ? slice(ours, 0, 0, 1) : ours;
      const perToken = shape.length > 1 && shape[1] === T && seen.shape[1] === T;
      const width = shape.slice(2).reduce((a, b) => a * b, 1);
      // Elements at padding are undefined.
      const realRows = (numbers: ArrayLike<number>) =>
        perToken && real
          ? Float64Array.from(numbers, (x, i) => (real[Math.floor(i / width)] ? x : 0))
          : numbers;
      return compareNumbers(
        name,
        { shape: seen.shape, values: realRows(await seen.read()) },
        { shape, values: realRows(reference.values as Float32Array) },
        limit,
        { absolute: isLogits },
      );
    }),
  );
}

/** Rows of tokens. Padding is masked; left padding of a decoder is a document of its own. */
export function rowsOf(
  model: Model | EncoderModel,
  given: Readonly<Record<string, ReferenceTensor>>,
  traced: Record<string, Tensor>,
  target: Target,
): Tensor {
  const { input_ids, attention_mask, token_type_ids, position_ids } = given;
  const ids = toTensor(input_ids!, target);
  const trace = { names: ["embeddings", "output"], tensors: traced } as const;
  if ("maskedTokenLogits" in model) {
    const real = attention_mask && cast(toTensor(attention_mask, target), "bool"); // [B, T]
    return model.apply(model.params, ids, {
      ...(token_type_ids && { types: toTensor(token_type_ids, target) }),
      ...(real && { mask: maskTensor(expandDims(expandDims(real, 1), 1)) }),
      trace,
    });
  }
  return model.apply(model.params, ids, {
    output: "rows",
    ...(attention_mask && { documents: lists(attention_mask) }),
    ...(position_ids && { positions: Int32Array.from(lists(position_ids).flat()) }),
    trace,
  });
}

function lists({ shape, values }: ReferenceTensor): number[][] {
  const [B, T] = shape as [number, number];
  return Array.from({ length: B }, (_, b) => Array.from(values.slice(b * T, (b + 1) * T), Number));
}

/** Outputs by the names of the references. */
function namedOutputs(
  model: Model | EncoderModel,
  rows: Tensor,
  traced: Record<string, Tensor>,
  attentionMask: Tensor | undefined,
): (name: string) => Tensor | undefined {
  const { numLayers } = model.config;
  const { head } = model.config;
  const logits = () => {
    const encoder = model as EncoderModel;
    return head
      ? taskLogits(model, rows, attentionMask && { attentionMask })
      : encoder.maskedTokenLogits(encoder.params, rows);
  };
  /** The logits of the start or the end of an answer (question answering), `[B, T]`. */
  const ends = (label: number) => {
    const both = logits();
    const [B, T] = both.shape as [number, number];
    return reshape(slice(both, 2, label, label + 1), [B, T]);
  };
  const hidden = (layer: number) =>
    layer === 0 ? traced["embeddings"] : layer === numLayers ? rows : traced[`layers.${layer - 1}.output`];
  const known: Record<string, () => Tensor | undefined> = {
    last_hidden_state: () => rows,
    pooler_output: logits,
    logits,
    scores: () => head && labelScores(head, logits()),
    start_logits: () => ends(0),
    end_logits: () => ends(1),
    zero_shot_single_label: () => head && entailmentScores(head, logits()),
    zero_shot_multi_label: () => head && entailmentScores(head, logits(), { multiLabel: true }),
  };
  return (name) => {
    const [, layer] = /^hidden\.(\d+)$/.exec(name) ?? [];
    return layer === undefined ? known[name]?.() : hidden(Number(layer));
  };
}
