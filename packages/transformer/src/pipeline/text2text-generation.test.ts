import { bertTokenizer, type Tokenizer } from "@qkv/tokenizer";
import { expect, test } from "vitest";
import { beamSearch } from "../generation/beam-search.js";
import { encoderDecoder, type EncoderDecoderConfig } from "../models/encoder-decoder.js";
import type { EncoderDecoderModel } from "../models/model.js";
import { sequenceRows } from "../models/sequence-rows.js";
import { entailmentScores } from "../models/entailment-scores.js";
import { taskLogits } from "../models/task-head.js";
import { pipeline } from "./pipeline.js";
import { TextStreamer } from "./text-streamer.js";

const words = ["the", "house", "is", "small", "##er", "das", "haus", "ist", "klein", "__de__", "__fr__"];
const tokenizer = bertTokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ...words].join("\n"));

function makeModel(
  changes: Partial<EncoderDecoderConfig> = {},
): EncoderDecoderModel & { tokenizer: Tokenizer } {
  const { config, init, apply, encode } = encoderDecoder({
    ...{ vocabSize: 16, embedDim: 16, hiddenDim: 24, numLayers: 2, numHeads: 2, contextLength: 24 },
    ...{ startIds: [2], stopIds: [3], embeddingScale: 50, embeddingNorm: true, ...changes },
  });
  return { config, params: init(4), tokenizer, apply, encode };
}

const model = makeModel();
const texts = ["the house is small", "das haus"];

/** The best text of beam search. */
async function bestText(
  model: EncoderDecoderModel,
  text: string,
  numBeams = 1,
  maxTokens = 6,
): Promise<string> {
  const { sequences } = await beamSearch(model, [tokenizer.encode(text)], { numBeams, maxTokens });
  return tokenizer.decode(sequences[0]![0]!.ids);
}

test("each task has its own result field, and a list gives one result per text", async () => {
  const expected = await Promise.all(texts.map((text) => bestText(model, text)));
  const options = { max_new_tokens: 6 };
  const write = await pipeline("text2text-generation", model);
  expect(await write(texts, options)).toEqual(expected.map((generated_text) => ({ generated_text })));
  expect(await write(texts[1]!, options)).toEqual([{ generated_text: expected[1] }]);
  const summarize = await pipeline("summarization", model);
  expect(await summarize(texts[0]!, options)).toEqual([{ summary_text: expected[0] }]);
  const translate = await pipeline("translation", model);
  expect([translate.task, translate.model]).toEqual(["translation", model]);
  expect(await translate(texts, options)).toEqual(expected.map((translation_text) => ({ translation_text })));
});

test("num_beams searches with beams, and max_length includes the start token", async () => {
  const write = await pipeline("text2text-generation", model);
  const options = { num_beams: 3, max_new_tokens: 6 };
  expect(await write(texts[0]!, options)).toEqual([{ generated_text: await bestText(model, texts[0]!, 3) }]);
  const short = await bestText(model, texts[0]!, 1, 4);
  expect(await write(texts[0]!, { max_length: 5 })).toEqual([{ generated_text: short }]);
});

test("src_lang sets a token of the source, and tgt_lang the first generated token", async () => {
  const translate = await pipeline("translation", model);
  const [{ translation_text }] = (await translate(texts[0]!, {
    ...{ src_lang: "__fr__", tgt_lang: "de", max_new_tokens: 5 },
  })) as [{ translation_text: string }];
  const { config } = model;
  const ids = tokenizer.encode(texts[0]!).map((id) => (id === 2 ? 15 : id)); // [CLS] names the language here
  const forced = { ...model, config: { ...config, forcedBosId: 14 } };
  const { sequences } = await beamSearch(forced, [ids], { numBeams: 1, maxTokens: 5 });
  expect(translation_text).toBe(tokenizer.decode(sequences[0]![0]!.ids));
  expect(sequences[0]![0]!.ids[0]).toBe(14);
  await expect(translate(texts[0]!, { tgt_lang: "xx" })).rejects.toThrow(/`tgt_lang` is "xx"/);
});

test("a streamer receives the generated text", async () => {
  const write = await pipeline("text2text-generation", model);
  let text = "";
  const streamer = new TextStreamer(tokenizer, {
    skip_prompt: true,
    callback_function: (piece) => (text += piece),
  });
  const [{ generated_text }] = (await write(texts[0]!, { max_new_tokens: 6, streamer })) as [
    { generated_text: string },
  ];
  expect(text.trim()).toBe(generated_text.trim());
  await expect(write(texts, { streamer })).rejects.toThrow(/`streamer` is "a streamer of 2 texts"/);
});

test("zero-shot and text classification read the head of an encoder–decoder", async () => {
  const head = {
    task: "sequence",
    labels: ["contradiction", "neutral", "entailment"],
    activation: "tanh",
  } as const;
  const nli = makeModel({ head });
  const classify = await pipeline("zero-shot-classification", nli);
  const labels = ["small", "klein"];
  const result = await classify("the house", labels, { hypothesis_template: "das haus ist {}" });
  const ids = labels.map((label) => [
    ...tokenizer.encoding("the house", { pair: `das haus ist ${label}` }).ids,
  ]);
  const logits = taskLogits(nli, sequenceRows(nli, ids));
  const expected = Array.from(entailmentScores(head, logits).data as Float32Array);
  expect(labels.map((label) => result.scores[result.labels.indexOf(label)])).toEqual(
    expected.map((score) => expect.closeTo(score, 5) as number),
  );
  const [best] = await (await pipeline("text-classification", nli))("the house");
  expect(head.labels).toContain(best!.label);
  await expect(pipeline("text-classification", model)).rejects.toThrow(/`model` is "a model without a head"/);
});

test("a task for another kind of model is refused, with a task of this model", async () => {
  await expect(pipeline("text-generation", model)).rejects.toThrow(
    /`model` is "an encoder–decoder".*\nFix: write "text2text-generation"/s,
  );
  await expect(pipeline("fill-mask", model)).rejects.toThrow(/`model` is "an encoder–decoder"/);
});
