import type { Step } from "../figure.js";
import { indexOfMax, shownLetter, type DecodedLetter, type EncoderDecoderAttentionModel } from "./model.js";
import { fixed } from "../fixed.js";
import { percent } from "../percents.js";

/** Phases of one output letter. */
export const phases = ["score", "weights", "context", "letter"] as const;
export type Phase = (typeof phases)[number];

/** Index of the output letter, and the progress of its phases and of the encoder, from 0 to 1. */
export type Stage = { output: number } & Record<Phase | "forward" | "backward", number>;

const encoding = 2; // steps before the first output letter

/** The stage at a step and its progress. */
export function stageAt(step: number, progress: number): Stage {
  const part = (at: number) => (at < step ? 1 : at === step ? progress : 0);
  const output = Math.max(0, Math.floor((step - encoding) / phases.length));
  const at = (phase: Phase) => part(encoding + output * phases.length + phases.indexOf(phase));
  return {
    output,
    forward: part(0),
    backward: part(1),
    score: at("score"),
    weights: at("weights"),
    context: at("context"),
    letter: at("letter"),
  };
}

/** Id of a step. */
export const stepId = (phase: Phase, output: number): string => `${phase}-${output}`;

const paper = {
  text: "“Neural Machine Translation by Jointly Learning to Align and Translate” (2014)",
  url: "https://arxiv.org/abs/1409.0473",
};
const quoted = (letter: string) => `“${shownLetter(letter)}”`;

/** Probabilities of the two most probable letters; of the first alone if the second has less than 0.05 %. */
const chances = (probability: number, second: DecodedLetter["second"]) =>
  second.probability < 0.0005
    ? `almost certainly (≈ ${percent(probability)})`
    : `with ${percent(probability)}; ${quoted(second.letter)} has ${percent(second.probability)}`;

/** The source is read in both directions, then each output letter attends to all of it. */
export function steps(model: EncoderDecoderAttentionModel): Step[] {
  const { source, decoded, target, scoreWeights } = model;
  const written = decoded.map(({ letter }) => letter).join("");
  const slow = (output: number) => (output === 0 ? 2200 : output === 1 ? 1200 : 500);
  return [
    {
      id: "forward",
      chapter: "Encode",
      title: "The encoder reads from left to right",
      text: "A recurrent network reads letter after letter. Its state at a letter knows that letter and those before it: the upper half of each vector.",
      source: paper,
      milliseconds: 2600,
    },
    {
      id: "backward",
      chapter: "Encode",
      title: "A second one reads from right to left",
      text: `Its state knows what comes after: the lower half. Both together are the annotation of a letter. The ${source.length} annotations are the keys and the values of everything that follows.`,
      source: paper,
      milliseconds: 2600,
    },
    ...decoded.flatMap(({ letter, probability, second, scores, weights }, output): Step[] => {
      const chapter = shownLetter(letter);
      const place = `letter ${output + 1}`;
      const best = indexOfMax(scores);
      const strongest = indexOfMax(weights);
      const made = [
        {
          title: `Query for ${place}: the decoder's state`,
          text: `The state is compared with every annotation by a small network: v · tanh(W s + U h), added over ${scoreWeights.length} numbers. ${quoted(source[best]!)}, letter ${best + 1} of the source, scores highest: ${fixed(scores[best]!)}.`,
        },
        {
          title: "Softmax turns the scores into weights",
          text: `The weights of the ${source.length} source letters add up to 1. ${quoted(source[strongest]!)}, letter ${strongest + 1}, has ${fixed(weights[strongest]!)}. They are a new row of the alignment.`,
        },
        {
          title: "Context: the annotations, added by weight",
          text: "The vectors that were the keys are now the values. The query is not among them: it only decides how much of each annotation is taken.",
        },
        {
          title: `The decoder writes ${quoted(letter)}`,
          text: `${output === 0 ? "The context and a start token" : `The context and the letter before, ${quoted(decoded[output - 1]!.letter)},`} update the state, and the new state and the context predict ${quoted(letter)} ${chances(probability, second)}.${output === decoded.length - 1 ? (written === target ? ` The date is correct.` : ` The correct date is ${target}.`) : ""}`,
        },
      ];
      return phases.map((phase, i) => ({
        id: stepId(phase, output),
        chapter,
        ...made[i]!,
        source: paper,
        milliseconds: slow(output),
      }));
    }),
  ];
}
