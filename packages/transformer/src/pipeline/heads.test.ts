import { tensor } from "@qkv/tensor";
import { bertTokenizer } from "@qkv/tokenizer";
import { expect, test } from "vitest";
import { encoder } from "../models/encoder.js";
import type { EncoderModel } from "../models/model.js";
import { labelScores, taskLogits, type TaskHeadConfig } from "../models/task-head.js";
import { pipeline } from "./pipeline.js";

const words = ["who", "was", "jim", "a", "nice", "puppet", "this", "example", "is", ".", "cat", "dog"];
const tokenizer = bertTokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ...words].join("\n"));

/** An encoder with random weights and the given head. */
function modelWithHead(head: TaskHeadConfig): EncoderModel {
  const { config, init, apply, maskedTokenLogits } = encoder({
    ...{ vocabSize: 17, embedDim: 16, hiddenDim: 24, numLayers: 2, numHeads: 2, contextLength: 16 },
    ...{ numTypes: 2, normEps: 1e-12, head },
  });
  return { config, params: init(5), tokenizer, apply, maskedTokenLogits };
}

/** Scores of a text or pair, computed without a pipeline: `[labels]`, or `[T, labels]`. */
function expectedScores(model: EncoderModel, text: string, pair?: string): number[] | number[][] {
  const { ids, typeIds } = tokenizer.encoding(text, pair === undefined ? {} : { pair });
  const types = tensor([typeIds], { dtype: "int32" });
  const rows = model.apply(model.params, tensor([ids], { dtype: "int32" }), { types });
  return (labelScores(model.config.head!, taskLogits(model, rows)).toNested() as number[][][])[0]!;
}

const near = (value: number): number => expect.closeTo(value, 5) as number;

const moods = modelWithHead({ task: "sequence", labels: ["bad", "fair", "good"], activation: "tanh" });

test("text-classification: the top label, the top k or all, for a text and for a list", async () => {
  const classify = await pipeline("text-classification", moods);
  const texts = ["jim was a nice puppet", "a cat"];
  const all = texts.map((text) =>
    (expectedScores(moods, text) as number[])
      .map((score, i) => ({ label: moods.config.head!.labels[i]!, score: near(score) }))
      .sort(
        (a, b) =>
          (b.score as never as { sample: number }).sample - (a.score as never as { sample: number }).sample,
      ),
  );
  expect(await classify(texts[0]!)).toEqual(all[0]!.slice(0, 1));
  expect(await classify(texts)).toEqual(all.map(([best]) => best));
  expect(await classify(texts[0]!, { top_k: 2 })).toEqual(all[0]!.slice(0, 2));
  expect(await classify(texts, { top_k: null })).toEqual(all);
  const other = await pipeline("sentiment-analysis", moods);
  expect(other.task).toBe("text-classification");
  expect(await other(texts[1]!)).toEqual(all[1]!.slice(0, 1));
});

test('text-classification: scores are logits if the head has `scores: "none"`', async () => {
  const head = { ...moods.config.head!, scores: "none" } as const;
  const regression = await pipeline("text-classification", { ...moods, config: { ...moods.config, head } });
  const [best] = await regression("a cat");
  const logits = expectedScores({ ...moods, config: { ...moods.config, head } }, "a cat") as number[];
  expect(best!.score).toBeCloseTo(Math.max(...logits), 5);
});

const names = modelWithHead({ task: "token", labels: ["O", "B-PER", "I-PER", "B-LOC"] });

test("token-classification: labels of tokens, without special tokens and ignored labels", async () => {
  const classify = await pipeline("token-classification", names);
  const text = "jim was a nice puppet";
  const tokens = tokenizer.encoding(text).ids.flatMap((id, index) => {
    const scores = (expectedScores(names, text) as number[][])[index]!;
    const score = Math.max(...scores);
    const entity = names.config.head!.labels[scores.indexOf(score)]!;
    return id < 5 ? [] : [{ entity, score: near(score), index, word: tokenizer.decode([id]) }];
  });
  expect(tokens.map(({ word }) => word)).toEqual(["jim", "was", "a", "nice", "puppet"]);
  expect(await classify(text, { ignore_labels: [] })).toEqual(tokens);
  expect(await classify([text], { ignore_labels: ["B-PER"] })).toEqual([
    tokens.filter(({ entity }) => entity !== "B-PER"),
  ]);
  expect(await classify(text)).toEqual(tokens.filter(({ entity }) => entity !== "O"));
  expect((await pipeline("ner", names)).task).toBe("token-classification");
});

test("token-classification: adjacent tokens of one entity form a group with the mean score", async () => {
  // A model whose rows give each word a fixed label.
  const labels = ["O", "B-PER", "I-PER", "E-PER", "S-LOC"];
  const head = { task: "token", labels } as const;
  const base = modelWithHead(head);
  const byWord: Record<string, string> = {
    jim: "B-PER",
    was: "I-PER",
    a: "E-PER",
    nice: "I-PER",
    cat: "S-LOC",
    dog: "S-LOC",
  };
  const fake: EncoderModel = {
    ...base,
    params: {
      ...base.params,
      head: { output: { weight: tensor(labels.map((_, i) => labels.map((__, j) => Number(i === j)))) } },
    },
    config: { ...base.config, embedDim: labels.length },
    apply: (_params, ids) => {
      const [list] = (ids as ReturnType<typeof tensor>).toNested() as number[][];
      const rows = list!.map((id) =>
        labels.map((label) => 9 * Number(label === (byWord[tokenizer.decode([id])] ?? "O"))),
      );
      return tensor([rows]);
    },
  };
  const classify = await pipeline("token-classification", fake);
  const groups = await classify("who jim was a nice puppet jim jim cat dog", {
    aggregation_strategy: "simple",
  });
  expect(groups.map(({ entity_group, word }) => [entity_group, word])).toEqual([
    ["PER", "jim was a"],
    ["PER", "nice"],
    ["PER", "jim"],
    ["PER", "jim"],
    ["LOC", "cat"],
    ["LOC", "dog"],
  ]);
  const probability = Math.exp(9) / (Math.exp(9) + 4);
  expect(groups[0]!.score).toBeCloseTo(probability, 5);
});

const answers = modelWithHead({ task: "span", labels: ["start", "end"] });

test("question-answering: the answers with the highest scores of all spans of the context", async () => {
  const answer = await pipeline("question-answering", answers);
  const [question, context] = ["who was jim", "jim was a nice puppet ."];
  const { ids, sequenceIds, typeIds } = tokenizer.encoding(question, { pair: context });
  const rows = answers.apply(answers.params, tensor([ids], { dtype: "int32" }), {
    types: tensor([typeIds], { dtype: "int32" }),
  });
  const [logits] = taskLogits(answers, rows).toNested() as number[][][];
  const isVisible = ids.map((_, i) => i === 0 || sequenceIds[i] === 1);
  const shares = [0, 1].map((end) => {
    const exps = logits!.map((both, i) => (isVisible[i] ? Math.exp(both[end]!) : 0));
    const sum = exps.reduce((a, b) => a + b);
    return exps.map((x) => x / sum);
  });
  const all = ids.flatMap((_, first) =>
    ids.flatMap((__, last) =>
      first > 0 && last >= first && isVisible[first] && isVisible[last]
        ? [
            {
              answer: tokenizer.decode(ids.slice(first, last + 1)),
              score: shares[0]![first]! * shares[1]![last]!,
            },
          ]
        : [],
    ),
  );
  const best = all.sort((a, b) => b.score - a.score).map((span) => ({ ...span, score: near(span.score) }));
  expect(await answer(question, context)).toEqual(best[0]);
  expect(await answer(question, context, { top_k: 4 })).toEqual(best.slice(0, 4));
  expect(await answer([question], [context])).toEqual([best[0]]);
  await expect(answer([question], [context, context])).rejects.toThrow(/as many texts as questions, 1/);
});

const inference = modelWithHead({
  task: "sequence",
  labels: ["contradiction", "neutral", "entailment"],
  activation: "tanh",
});

test("zero-shot-classification: scores by entailment, over all labels, with multi_label, and of one label", async () => {
  const classify = await pipeline("zero-shot-classification", inference);
  const [text, labels] = ["jim was a nice puppet", ["cat", "dog", "puppet"]];
  const odds = labels.map((label) => {
    const [contradiction, , entailment] = expectedScores(
      inference,
      text,
      `this example is ${label}.`,
    ) as number[];
    return { label, entailment: entailment!, contradiction: contradiction! };
  });
  const sorted = (score: (labelOdds: (typeof odds)[number]) => number) => {
    const order = odds
      .map((labelOdds) => [labelOdds.label, score(labelOdds)] as const)
      .sort((a, b) => b[1] - a[1]);
    return {
      sequence: text,
      labels: order.map(([label]) => label),
      scores: order.map(([, value]) => near(value)),
    };
  };
  const options = { hypothesis_template: "this example is {}." };
  const each = ({ entailment, contradiction }: (typeof odds)[number]) =>
    entailment / (entailment + contradiction);
  expect(await classify(text, labels, { ...options, multi_label: true })).toEqual(sorted(each));
  const [alone] = await classify([text], "dog", options);
  expect(alone!.scores).toEqual([near(each(odds[1]!))]);
  const together = await classify(text, labels, options);
  expect(together.scores.reduce((a, b) => a + b)).toBeCloseTo(1, 5);
  expect(together.labels).toHaveLength(3);
  await expect(classify(text, labels, { hypothesis_template: "This is it." })).rejects.toThrow(/with \{\}/);
  await expect(classify(text, [])).rejects.toThrow(/`candidate_labels`/);
});

test("a model with another head is refused, with the Hugging Face class to use", async () => {
  await expect(pipeline("text-classification", names)).rejects.toThrow(
    /a model with a head for token.*BertForSequenceClassification/s,
  );
  await expect(pipeline("question-answering", moods)).rejects.toThrow(/BertForQuestionAnswering/);
  await expect(pipeline("token-classification", moods)).rejects.toThrow(/BertForTokenClassification/);
  const entailing = await pipeline("zero-shot-classification", moods);
  await expect(entailing("a cat", ["dog"])).rejects.toThrow(/begins with entail/);
});
