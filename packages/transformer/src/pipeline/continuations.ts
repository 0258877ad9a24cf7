import { beamSearch } from "../generation/beam-search.js";
import { generate, type GenerateSummary } from "../generation/generate.js";
import { generateBatch } from "../generation/generate-batch.js";
import type { GenerativeModel } from "../models/model.js";
import { isCrossDecoder } from "../models/model-kinds.js";
import type { Generation } from "./generation-options.js";

/** Generates ids from prompts: for each prompt, `samples` sequences. */
export async function continuations(
  model: GenerativeModel,
  prompts: readonly (readonly number[])[],
  { beams, samples, streamer, signal, sampling, processors, ...settings }: Generation,
): Promise<number[][][]> {
  // The output of an encoder–decoder follows its start ids, not the prompt.
  const promptLength = isCrossDecoder(model)
    ? model.config.startIds.length
    : Math.max(0, ...prompts.map(({ length }) => length));
  const maxTokens = settings.maxTokens(promptLength);
  const sharedOptions = { maxTokens, ...(signal && { signal }) };
  if (beams) {
    const { sequences } = await beamSearch(model, prompts, {
      ...sharedOptions,
      ...beams,
      numReturnSequences: samples,
    });
    return sequences.map((candidates) => candidates.map(({ ids }) => ids));
  }
  const samplingOptions = { ...sharedOptions, sampling, processors };
  if (prompts.length === 1 && samples === 1)
    return [[await generateToStreamer(model, prompts[0]!, samplingOptions, streamer)]];
  const generated = prompts.map(() => Array.from({ length: samples }, (): number[] => []));
  for await (const { id, prompt, sample } of generateBatch(model, prompts, { ...samplingOptions, samples }))
    generated[prompt]![sample]!.push(id);
  return generated;
}

/** Generates from one prompt, and passes ids to the streamer: first the prompt or the start ids, then each id, the stop id last. */
async function generateToStreamer(
  model: GenerativeModel,
  prompt: readonly number[],
  options: NonNullable<Parameters<typeof generate>[2]>,
  streamer: Generation["streamer"],
): Promise<number[]> {
  const ids: number[] = [];
  let stoppedBy: GenerateSummary["stoppedBy"];
  const firstIds = isCrossDecoder(model) ? model.config.startIds : prompt;
  streamer?.put([firstIds.map(BigInt)]);
  const onFinish = (summary: GenerateSummary) => (stoppedBy = summary.stoppedBy);
  for await (const { id } of generate(model, prompt, { ...options, onFinish })) {
    ids.push(id);
    streamer?.put([[BigInt(id)]]);
  }
  if (typeof stoppedBy === "number") streamer?.put([[BigInt(stoppedBy)]]);
  streamer?.end();
  return ids;
}
