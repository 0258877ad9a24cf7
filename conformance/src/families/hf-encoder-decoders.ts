import {
  entailmentScores,
  generate,
  labelScores,
  loadEncoderDecoder,
  sequenceRows,
  taskLogits,
  type EncoderDecoderModel,
} from "@qkv/transformer";
import type { Tensor } from "@qkv/tensor";
import type { DataFolder } from "../../data-folder.mjs";
import type { Case, Target } from "../case.js";
import { compareIds, compareNumbers, mismatch, type Check } from "../check.js";
import { readTensor, type ReferenceTensor } from "../reference-tensor.js";
import { toTensor } from "../to-tensor.js";
import { tolerance } from "../tolerance.js";
import { caseName, modelFiles } from "./model-files.js";

/** References of an encoder–decoder. */
export type EncoderDecoderRefs = {
  architecture: string;
  cases: { name: string; inputs: unknown[]; outputs: unknown[] }[];
  greedy?: { input_ids: number[]; decoder_start_token_id: number; tokens: number[] }[];
};

/** True for supported text encoder–decoders. */
export const isEncoderDecoder = ({ architecture }: { architecture: string }): boolean =>
  /^(T5|MT5|UMT5|Bart|PLBart|MBart|Marian|M2M100|Pegasus|Blenderbot)(For|MT|Model)/.test(architecture);

/** Cases of an encoder–decoder: logits, encoder rows, outputs of its head, and greedy tokens. */
export function encoderDecoderCases(
  data: DataFolder,
  path: string,
  refs: EncoderDecoderRefs,
  config: string,
): Case[] {
  const opened = new Map<Target["device"], Promise<EncoderDecoderModel>>();
  const open = ({ device }: Target) => {
    const model = opened.get(device) ?? loadEncoderDecoder(modelFiles(data, path, config), { device });
    opened.set(device, model);
    return model;
  };
  return [
    ...refs.cases.map(({ name, inputs, outputs }): Case => ({
      name: caseName(path, config, name),
      run: async (target) =>
        compareEncoderDecoder(await open(target), inputs.map(readTensor), outputs.map(readTensor), target),
    })),
    ...(refs.greedy ?? []).map(({ input_ids, decoder_start_token_id, tokens }): Case => ({
      name: caseName(path, config, `greedy after ${input_ids.length}`),
      run: async (target) => {
        const model = await open(target);
        const own = await written(model, input_ids, decoder_start_token_id, tokens.length);
        return [compareIds("tokens", own, tokens)];
      },
    })),
  ];
}

/** Compares a model's outputs with those of a case. */
export async function compareEncoderDecoder(
  model: EncoderDecoderModel,
  inputs: readonly ReferenceTensor[],
  outputs: readonly ReferenceTensor[],
  target: Target,
): Promise<Check[]> {
  const byName = Object.fromEntries(inputs.map((one) => [one.name, one]));
  const { input_ids, attention_mask, decoder_input_ids } = byName;
  if (!input_ids) throw new Error("needs input_ids");
  const lengths = attention_mask && lengthsOf(attention_mask);
  const texts = listsOf(input_ids, lengths);
  const own = namedOutputs(model, texts, decoder_input_ids && toTensor(decoder_input_ids, target));
  return Promise.all(
    outputs.map(async ({ name, shape, values }) => {
      const isLogits = name === "logits";
      const limit = tolerance(isLogits ? "logits" : "embedding", target.class);
      const ours = own(name);
      if (!ours) return mismatch(name, limit, "is not known");
      const [, S] = shape;
      const width = shape.slice(2).reduce((a, b) => a * b, 1);
      // Encoder rows at padding are undefined.
      const isReal = (i: number) =>
        !lengths ||
        name !== "encoder_last_hidden_state" ||
        Math.floor(i / width) % S! < lengths[Math.floor(i / (width * S!))]!;
      const realRows = (numbers: ArrayLike<number>) =>
        Float64Array.from(numbers, (x, i) => (isReal(i) ? x : 0));
      return compareNumbers(
        name,
        { shape: ours.shape, values: realRows((await ours.read()) as Float32Array) },
        { shape, values: realRows(values as Float32Array) },
        limit,
        { absolute: isLogits },
      );
    }),
  );
}

/** Outputs by the names of the references. */
function namedOutputs(
  model: EncoderDecoderModel,
  texts: readonly (readonly number[])[],
  decoderIds: Tensor | undefined,
): (name: string) => Tensor | undefined {
  const { params, config } = model;
  const source = model.encode(params, texts);
  const { head } = config;
  const logits = () =>
    head
      ? taskLogits(model, sequenceRows(model, texts))
      : decoderIds && model.apply(params, decoderIds, { source });
  const known: Record<string, () => Tensor | undefined> = {
    encoder_last_hidden_state: () => source.rows,
    logits,
    scores: () => head && labelScores(head, logits()!),
    zero_shot_single_label: () => head && entailmentScores(head, logits()!),
    zero_shot_multi_label: () => head && entailmentScores(head, logits()!, { multiLabel: true }),
  };
  return (name) => known[name]?.();
}

/** Ids of each text, without padding. */
function listsOf({ shape, values }: ReferenceTensor, lengths?: readonly number[]): number[][] {
  const [B, S] = shape as [number, number];
  return Array.from({ length: B }, (_, b) =>
    Array.from(values.slice(b * S, b * S + (lengths?.[b] ?? S)), Number),
  );
}

/** Tokens of each text without its padding, which is on the right. */
function lengthsOf({ shape, values }: ReferenceTensor): number[] {
  const [B, S] = shape as [number, number];
  return Array.from({ length: B }, (_, b) =>
    Array.from(values.slice(b * S, (b + 1) * S), Number).reduce((a, one) => a + one, 0),
  );
}

async function written(
  model: EncoderDecoderModel,
  source: readonly number[],
  start: number,
  maxTokens: number,
): Promise<number[]> {
  const ids: number[] = [];
  // References continue after the stop token.
  const endless = { ...model, config: { ...model.config, stopIds: [] } };
  for await (const { id } of generate(endless, source, { maxTokens, decoderIds: [start] })) ids.push(id);
  return ids;
}
