import { checks, type Checks } from "@qkv/core";
import { slice } from "@qkv/tensor";
import { logSoftmax } from "../generation/log-softmax.js";
import type { EncoderModel } from "../models/model.js";
import { taskLogits } from "../models/task-head.js";
import { requiredHead } from "./required-head.js";
import { encodeTexts, requiredTokenizer, textList, truncatingTokenizer } from "./texts-to-rows.js";

/** Call options of a {@link QuestionAnsweringPipeline}, with the names of Transformers.js. */
export type QuestionAnsweringOptions = {
  /** Number of answers to return, the most likely first. Default 1, which returns an object instead of a list. */
  top_k?: number;
};

/** An answer. */
export type Answer = {
  /** The probability that it starts where it does, times the probability that it ends there. */
  score: number;
  /** The text of the answer, a span of the context. */
  answer: string;
};

/** Call signatures of a question answering pipeline. For lists of questions and contexts of equal length, a list of results. */
export type QuestionAnsweringCall = {
  (question: string, context: string, options?: { top_k?: 1 }): Promise<Answer>;
  (question: string, context: string, options: QuestionAnsweringOptions): Promise<Answer | Answer[]>;
  (
    questions: readonly string[],
    contexts: readonly string[],
    options?: QuestionAnsweringOptions,
  ): Promise<Answer[] | Answer[][]>;
};

/** Creates the function of a question answering pipeline. */
export function questionAnswering(
  check: Checks<{ argument: string }>,
  model: EncoderModel,
): QuestionAnsweringCall {
  requiredHead(check, model, "span");
  const tokenizer = truncatingTokenizer(
    requiredTokenizer(check, model.tokenizer),
    model.config.contextLength,
  );
  const callCheck: Checks = checks('pipeline("question-answering")');
  const answersTo = async (question: string, context: string, top_k: number): Promise<Answer[]> => {
    const { ids, rows, sequenceIds } = encodeTexts(model, tokenizer, [question], [context]);
    const logits = taskLogits(model, rows); // [1, T, 2]
    const contextIndices = sequenceIds[0]!.flatMap((text, i) => (text === 1 ? [i] : []));
    const logProbs = async (label: number) => {
      const labelLogits = await slice(logits, 2, label, label + 1).read();
      // Softmax over the tokens of the context and the first token, which stands for "no answer".
      return logSoftmax(Float32Array.from([0, ...contextIndices], (index) => labelLogits[index]!)).subarray(
        1,
      );
    };
    const [starts, ends] = [await logProbs(0), await logProbs(1)];
    return bestSpans(starts, ends, top_k).map(([first, last, score]) => ({
      score: Math.exp(score),
      answer: tokenizer.decode(ids[0]!.slice(contextIndices[first], contextIndices[last]! + 1)),
    }));
  };
  const call = async (
    question: string | readonly string[],
    context: string | readonly string[],
    given?: QuestionAnsweringOptions,
  ) => {
    const { top_k = 1 } = callCheck.options(given, ["top_k"]);
    callCheck.whole({ top_k }, { min: 1, unit: "answers" });
    const [questions, contexts] = [
      textList(callCheck, question, "question"),
      textList(callCheck, context, "context"),
    ];
    const fix = "give a question and a text, or as many of both.";
    const isPaired = () => typeof question === typeof context && questions.length === contexts.length;
    callCheck.each({ context }, isPaired, `as many texts as questions, ${questions.length}`, fix);
    const answers: Answer[][] = [];
    for (const [i, text] of questions.entries()) answers.push(await answersTo(text, contexts[i]!, top_k));
    const results = top_k === 1 ? answers.flat() : answers;
    return typeof question === "string" ? results[0] : results;
  };
  return call as QuestionAnsweringCall;
}

type Span = readonly [first: number, last: number, score: number];

/** The spans with the highest sums of log-probabilities, in descending order. */
function bestSpans(starts: ArrayLike<number>, ends: ArrayLike<number>, count: number): readonly Span[] {
  const best: Span[] = [];
  for (let first = 0; first < starts.length; first++) {
    for (let last = first; last < ends.length; last++) {
      const score = starts[first]! + ends[last]!;
      if (best.length === count && score <= best.at(-1)![2]) continue;
      const index = best.findIndex((span) => span[2] < score);
      best.splice(index < 0 ? best.length : index, 0, [first, last, score]);
      if (best.length > count) best.pop();
    }
  }
  return best;
}
