import type { Tensor } from "@qkv/tensor";
import { beamSearch, generate, loadSpeech, type SpeechModel } from "@qkv/transformer";
import type { DataFolder } from "../../data-folder.mjs";
import type { Case, Target } from "../case.js";
import { compareIds, compareNumbers, mismatch, type Check } from "../check.js";
import { readTensor, type ReferenceTensor } from "../reference-tensor.js";
import { toTensor } from "../to-tensor.js";
import { tolerance } from "../tolerance.js";
import { modelFiles } from "./model-files.js";

/** Reference data of a speech-to-text model. */
export type SpeechRefs = {
  cases: { name: string; inputs: unknown[]; outputs: unknown[] }[];
  greedy: SpeechGreedy[];
};
/** A greedy generation: input features or samples, the start id, and the expected ids. */
export type SpeechGreedy = {
  input_features?: unknown;
  input_values?: unknown;
  decoder_start_token_id: number;
  tokens: number[];
};

/** True for models that read audio, by the inputs of their cases. */
export const readsAudio = ({ cases }: { cases: { inputs: unknown[] }[] }): boolean =>
  cases.every(({ inputs }) =>
    (inputs as { name: string }[]).some(({ name }) => /^input_(features|values)$/.test(name)),
  );

/** Cases of a speech model: encoder rows, logits, and greedy texts with and without a cache. */
export function speechCases(data: DataFolder, path: string, refs: SpeechRefs): Case[] {
  const opened = new Map<Target["device"], Promise<SpeechModel>>();
  const open = ({ device }: Target) => {
    const model = opened.get(device) ?? loadSpeech(modelFiles(data, path), { device });
    opened.set(device, model);
    return model;
  };
  return [
    ...refs.cases.map(({ name, inputs, outputs }) => ({
      name: `${path.slice(3)} ${name}`,
      run: async (target: Target) =>
        compareSpeech(await open(target), inputs.map(readTensor), outputs.map(readTensor), target),
    })),
    ...refs.greedy.map((greedy, i) => ({
      name: `${path.slice(3)} greedy ${i}`,
      run: async (target: Target) => compareGreedy(await open(target), greedy, target),
    })),
  ];
}

/** Compares encoder rows and logits, for audio and decoder ids, with the outputs of a case. */
export async function compareSpeech(
  model: SpeechModel,
  inputs: readonly ReferenceTensor[],
  outputs: readonly ReferenceTensor[],
  target: Target,
): Promise<Check[]> {
  const byName = Object.fromEntries(inputs.map((one) => [one.name, one]));
  const { decoder_input_ids: ids } = byName;
  const sound = byName["input_features"] ?? byName["input_values"];
  if (!ids || !sound) throw new Error("needs sound and decoder_input_ids");
  const source = model.encode(model.params, toTensor(sound, target));
  const computed: Record<string, Tensor> = {
    encoder_last_hidden_state: source.rows,
    logits: model.apply(model.params, toTensor(ids, target), { source }),
  };
  return Promise.all(
    outputs.map(async (reference) => {
      const isLogits = reference.name === "logits";
      const limit = tolerance(isLogits ? "logits" : "embedding", target.class);
      const ours = computed[reference.name];
      if (!ours) return mismatch(reference.name, limit, "is not known");
      return compareNumbers(
        reference.name,
        { shape: ours.shape, values: await ours.read() },
        { shape: reference.shape, values: reference.values as Float32Array },
        limit,
        { absolute: isLogits },
      );
    }),
  );
}

/** Greedy ids with a cache, without one, and by beam search with one beam. */
export async function compareGreedy(
  loaded: SpeechModel,
  { tokens, decoder_start_token_id: start, ...greedy }: SpeechGreedy,
  target: Target,
): Promise<Check[]> {
  // The reference generation ignored stop tokens.
  const model = { ...loaded, config: { ...loaded.config, startIds: [start], stopIds: [] } };
  const sound = toTensor(readTensor(greedy.input_features ?? greedy.input_values), target);
  const source = model.encode(model.params, sound);
  const maxTokens = tokens.length;
  const cached: number[] = [];
  for await (const { id } of generate(model, source, { maxTokens })) cached.push(id);
  const uncached: number[] = [];
  for (let i = 0; i < maxTokens; i++) {
    const logits = model.apply(model.params, [start, ...uncached], { source, last: 1 });
    const numbers = ((await logits.read()) as Float32Array).subarray(-model.config.vocabSize);
    uncached.push(numbers.reduce((best, x, id) => (x > numbers[best]! ? id : best), 0));
  }
  const { sequences } = await beamSearch(model, source, { maxTokens, numBeams: 1 });
  return [
    compareIds("tokens", cached, tokens),
    compareIds("tokens without a cache", uncached, tokens),
    compareIds("tokens of one beam", sequences[0]![0]!.ids, tokens),
  ];
}
