import * as processors from "@qkv/transformer/processors";
import type { LogitsProcessor, SequenceBias } from "@qkv/transformer/processors";
import { Skip } from "../case.js";
import { compareNumbers, type Check } from "../check.js";
import { readTensor, type ReferenceTensor } from "../reference-tensor.js";
import { tolerance } from "../tolerance.js";

/** Arguments of the processors' classes; a case has those of its class. */
type Attributes = {
  temperature: number;
  top_k: number;
  top_p: number;
  min_p: number;
  mass: number;
  epsilon: number;
  top_h: number;
  min_tokens_to_keep?: number;
  penalty: number;
  prompt_ignore_length?: number | null;
  ngram_size: number;
  bad_words_ids: number[][];
  suppress_tokens: number[];
  begin_suppress_tokens: number[];
  begin_index?: number;
  min_length: number;
  min_new_tokens: number;
  prompt_length_to_skip?: number;
  bos_token_id: number;
  eos_token_id?: number | number[];
  max_length?: number;
  exponential_decay_length_penalty: [start: number, factor: number];
  input_ids_seq_length?: number;
  sequence_bias: SequenceBias[];
  encoder_ngram_size: number;
  encoder_input_ids: number[][];
};

/** Processors by the names of Hugging Face's classes. */
const classes: Readonly<Record<string, (attributes: Attributes) => LogitsProcessor>> = {
  TemperatureLogitsWarper: ({ temperature }) => processors.temperature(temperature),
  TopKLogitsWarper: ({ top_k, ...more }) => processors.topK(top_k, kept(more)),
  TopPLogitsWarper: ({ top_p, ...more }) => processors.topP(top_p, kept(more)),
  MinPLogitsWarper: ({ min_p, ...more }) => processors.minP(min_p, kept(more)),
  TypicalLogitsWarper: ({ mass, ...more }) => processors.typicalP(mass, kept(more)),
  EpsilonLogitsWarper: ({ epsilon, ...more }) => processors.epsilonCutoff(epsilon, kept(more)),
  EtaLogitsWarper: ({ epsilon, ...more }) => processors.etaCutoff(epsilon, kept(more)),
  TopHLogitsWarper: ({ top_h }) => processors.topH(top_h),
  RepetitionPenaltyLogitsProcessor: ({ penalty, prompt_ignore_length }) =>
    processors.repetitionPenalty(penalty, { ignoredTokens: prompt_ignore_length ?? 0 }),
  NoRepeatNGramLogitsProcessor: ({ ngram_size }) => processors.noRepeatNgram(ngram_size),
  NoBadWordsLogitsProcessor: ({ bad_words_ids }) => processors.badWords(bad_words_ids),
  SuppressTokensLogitsProcessor: ({ suppress_tokens }) => processors.suppressTokens(suppress_tokens),
  SuppressTokensAtBeginLogitsProcessor: ({ begin_suppress_tokens }) =>
    processors.suppressTokensAtBegin(begin_suppress_tokens),
  MinLengthLogitsProcessor: ({ min_length }) => processors.minLength(min_length),
  MinNewTokensLengthLogitsProcessor: ({ min_new_tokens }) => processors.minNewTokens(min_new_tokens),
  ForcedBOSTokenLogitsProcessor: ({ bos_token_id }) => processors.forcedBos(bos_token_id),
  ForcedEOSTokenLogitsProcessor: ({ eos_token_id }) => processors.forcedEos(eos_token_id ?? []),
  ExponentialDecayLengthPenalty: ({ exponential_decay_length_penalty: [start, factor] }) =>
    processors.exponentialDecayLength(start, factor),
  SequenceBiasLogitsProcessor: ({ sequence_bias }) => processors.sequenceBias(sequence_bias),
  LogitNormalization: () => processors.normalizeLogits,
  EncoderNoRepeatNGramLogitsProcessor: ({ encoder_ngram_size, encoder_input_ids }) =>
    processors.encoderNoRepeatNgram(encoder_ngram_size, encoder_input_ids),
  EncoderRepetitionPenaltyLogitsProcessor: ({ penalty, encoder_input_ids }) =>
    processors.encoderRepetitionPenalty(penalty, encoder_input_ids),
};

const kept = ({ min_tokens_to_keep }: Pick<Attributes, "min_tokens_to_keep">) => ({
  minTokensToKeep: min_tokens_to_keep ?? 1,
});

/** Applies a processor to the rows of a case. */
export function runProcessor(value: Record<string, unknown>): Check[] {
  const op = String(value["op"]);
  const make = classes[op];
  if (!make) throw new Skip(`${op} is not known yet`);
  const attributes = value["attributes"] as Attributes;
  const processor = make(attributes);
  const tensors = (field: string) => (value[field] as never[]).map(readTensor);
  const find = (list: readonly ReferenceTensor[], name: string) => list.find((one) => one.name === name)!;
  const inputs = tensors("inputs");
  const [ids, scores] = [find(inputs, "input_ids"), find(inputs, "scores")];
  const [rows, vocabSize] = scores.shape as [number, number];
  const row = (tensor: ReferenceTensor, i: number) => {
    const width = tensor.shape[1]!;
    return Array.from(tensor.values.slice(i * width, (i + 1) * width), Number);
  };
  const { prompt_length_to_skip, input_ids_seq_length, begin_index, eos_token_id, max_length } = attributes;
  const promptLength = prompt_length_to_skip ?? input_ids_seq_length ?? begin_index;
  const sequence = {
    stopIds: [eos_token_id ?? []].flat(),
    ...(promptLength !== undefined && { promptLength }),
    ...(max_length !== undefined && { maxLength: max_length }),
  };
  const ours = Array.from({ length: rows }, (_, i) =>
    processors.processLogits(row(scores, i), [processor], { ...sequence, ids: row(ids, i), prompt: i }),
  );
  const result = { shape: [rows, vocabSize], values: ours.flatMap((one) => [...one]) };
  const reference = find(tensors("outputs"), "scores");
  const expected = { shape: reference.shape, values: Array.from(reference.values, Number) };
  return [compareNumbers("scores", result, expected, tolerance("forward float32", "host"))];
}
