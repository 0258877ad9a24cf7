import { beamSearch, generateBatch, load, loadEncoderDecoder, type GenerativeModel } from "@qkv/transformer";
import {
  badWords,
  exponentialDecayLength,
  forcedBos,
  forcedEos,
  minLength,
  minNewTokens,
  noRepeatNgram,
  repetitionPenalty,
  sequenceBias,
  suppressTokens,
  suppressTokensAtBegin,
  type LogitsProcessor,
  type SequenceBias,
} from "@qkv/transformer/processors";
import type { DataFolder } from "../../data-folder.mjs";
import { type Case, type Source, type Target } from "../case.js";
import { compareExactly, compareIds, compareNumbers, type Check } from "../check.js";
import { readCases } from "../data-files.js";
import { tolerance } from "../tolerance.js";
import { runProcessor } from "./logits-processors.js";

const folder = "generation";

/**
 * `generation/*.json`: sequences of Hugging Face's `generate`, and outputs of its logits processors. An entry with `settings` is a
 * generation, one with an `op` a processor.
 */
export function generation(data: DataFolder): Source[] {
  return data.names(folder, ".json").map((name) => {
    const file = `${folder}/${name}`;
    const models = new Map<string, Promise<GenerativeModel>>();
    const cases = readCases(data, file, ({ name, value }): Case => ({
      name,
      run: (target) =>
        "op" in value ? runProcessor(value) : runGeneration(data, value as Generation, target, models),
    }));
    return { family: folder, file, cases };
  });
}

/** An entry of `generation.json`, in Hugging Face's names. */
type Generation = {
  folder: string;
  settings: Settings;
  input_ids: number[][];
  attention_mask: number[][];
  sequences: number[][];
  sequences_scores?: number[];
  finished?: boolean[];
};

type Settings = Readonly<Record<string, unknown>> & {
  num_beams: number;
  max_new_tokens: number;
  eos_token_id: number | number[];
  pad_token_id: number;
  length_penalty?: number;
  early_stopping?: boolean | "never";
  num_return_sequences?: number;
  /** Only for an encoder–decoder. */
  decoder_start_token_id?: number;
};

const searchSettings = [
  ...["num_beams", "max_new_tokens", "eos_token_id", "pad_token_id"],
  ...["length_penalty", "early_stopping", "num_return_sequences", "decoder_start_token_id"],
];

/** Settings that are logits processors, in the order in which Hugging Face applies them. */
const processors: Readonly<Record<string, (value: never) => LogitsProcessor>> = {
  sequence_bias: (biases: SequenceBias[]) => sequenceBias(biases),
  repetition_penalty: (penalty: number) => repetitionPenalty(penalty),
  no_repeat_ngram_size: (size: number) => noRepeatNgram(size),
  bad_words_ids: (words: number[][]) => badWords(words),
  min_length: (length: number) => minLength(length),
  min_new_tokens: (count: number) => minNewTokens(count),
  forced_bos_token_id: (id: number) => forcedBos(id),
  forced_eos_token_id: (id: number) => forcedEos(id),
  exponential_decay_length_penalty: ([start, factor]: [number, number]) =>
    exponentialDecayLength(start, factor),
  suppress_tokens: (ids: number[]) => suppressTokens(ids),
  begin_suppress_tokens: (ids: number[]) => suppressTokensAtBegin(ids),
};

async function runGeneration(
  data: DataFolder,
  { folder: modelFolder, settings, input_ids, attention_mask, ...expected }: Generation,
  target: Target,
  models: Map<string, Promise<GenerativeModel>>,
): Promise<Check[]> {
  const unknown = Object.keys(settings).filter(
    (name) => !searchSettings.includes(name) && !(name in processors),
  );
  if (unknown.length > 0) throw new Error(`has settings that are not known: ${unknown.join(", ")}`);
  const start = settings.decoder_start_token_id;
  const open = start === undefined ? load : loadEncoderDecoder;
  const opened = models.get(modelFolder) ?? open(data.path(modelFolder), { device: target.device });
  models.set(modelFolder, opened);
  const loaded = await opened;
  const stopIds = [settings.eos_token_id].flat();
  const model = { ...loaded, config: { ...loaded.config, stopIds } } as GenerativeModel;
  const prompts = input_ids.map((ids, i) => ids.filter((_, t) => attention_mask[i]![t] === 1));
  const options = {
    maxTokens: settings.max_new_tokens,
    padId: settings.pad_token_id,
    ...(start !== undefined && { decoderIds: [start] }),
    processors: Object.keys(processors).flatMap((name) =>
      name in settings ? [processors[name]!(settings[name] as never)] : [],
    ),
  };
  const found = settings.num_beams > 1 ? beams : greedy;
  const ours = (await found(model, prompts, settings, options)).flatMap((promptSequences, i) =>
    promptSequences.map(({ ids, stoppedBy, score }) => ({
      ids: [
        ...(start === undefined ? input_ids[i]! : [start]),
        ...ids,
        ...(stoppedBy === undefined ? [] : [stoppedBy]),
      ],
      ended: stoppedBy !== undefined,
      score,
    })),
  );
  const { sequences, sequences_scores: scores, finished } = expected;
  const values = (numbers: readonly (number | boolean | undefined)[]) => ({
    shape: [numbers.length],
    values: numbers.map(Number),
  });
  return [
    compareExactly("sequences", values([ours.length]), values([sequences.length])),
    ...sequences.map((ids, i) => compareIds(`sequence ${i}`, ours[i]?.ids ?? [], ids)),
    ...(finished
      ? [compareExactly("finished", values(ours.map(({ ended }) => ended)), values(finished))]
      : []),
    ...(scores
      ? [
          compareNumbers(
            "sequences_scores",
            values(ours.map(({ score }) => score)),
            values(scores),
            tolerance("logits", target.class),
            { absolute: true },
          ),
        ]
      : []),
  ];
}

type Found = { ids: readonly number[]; stoppedBy?: number | undefined; score?: number };
type Options = { maxTokens: number; padId: number; decoderIds?: number[]; processors: LogitsProcessor[] };

async function beams(
  model: GenerativeModel,
  prompts: number[][],
  settings: Settings,
  options: Options,
): Promise<Found[][]> {
  const { length_penalty, early_stopping, num_return_sequences } = settings;
  const { sequences } = await beamSearch(model, prompts, {
    ...options,
    numBeams: settings.num_beams,
    ...(length_penalty !== undefined && { lengthPenalty: length_penalty }),
    ...(early_stopping !== undefined && { earlyStopping: early_stopping }),
    ...(num_return_sequences !== undefined && { numReturnSequences: num_return_sequences }),
  });
  return sequences.map((promptSequences) =>
    promptSequences.map(({ ids, score, stoppedBy }) => ({
      ids,
      score,
      stoppedBy: stoppedBy as number | undefined,
    })),
  );
}

async function greedy(
  model: GenerativeModel,
  prompts: number[][],
  _: Settings,
  options: Options,
): Promise<Found[][]> {
  const found: (Found & { ids: number[] })[] = prompts.map(() => ({ ids: [] }));
  const tokens = generateBatch(model, prompts, {
    ...options,
    onFinish: ({ sequences }) =>
      sequences.forEach(([one], i) => (found[i]!.stoppedBy = one!.stoppedBy as number | undefined)),
  });
  for await (const { prompt, id } of tokens) found[prompt]!.ids.push(id);
  return found.map((one) => [one]);
}
