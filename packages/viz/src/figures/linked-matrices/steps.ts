import { elementAt, quoted, range } from "../attention-call/model.js";
import type { Step } from "../figure.js";
import {
  chosenHead,
  keyLabels,
  headSizes,
  strongestWeight,
  type LinkedMatricesChoices,
  type LinkedMatricesModel,
  type LinkedMatrix,
} from "./model.js";
import { fixed } from "../fixed.js";
import { percent } from "../percents.js";

/** The steps, in order. */
export const stages = ["inputs", "dots", "scaled", "masked", "weights", "output"] as const;
export type Stage = (typeof stages)[number];

/** The matrix that a step computes: q, k, v; s: scores; a: attention weights; o: output. */
export const matrixOfStep: Record<Stage, LinkedMatrix> = {
  inputs: "q",
  dots: "s",
  scaled: "s",
  masked: "s",
  weights: "a",
  output: "o",
};

/** Index of the step that computes a matrix. */
export const stepOfMatrix: Record<LinkedMatrix, number> = { q: 0, k: 0, v: 0, s: 1, a: 4, o: 5 };

export function steps(model: LinkedMatricesModel, choices: LinkedMatricesChoices): Step[] {
  const { model: traced, head } = chosenHead(model, choices);
  const { T, S, D } = headSizes(head);
  const { row, key } = strongestWeight(model, head);
  const keys = keyLabels(model);
  const [queryToken, keyToken] = [quoted(model.tokens[row]!), quoted(keys[key]!)];
  const maskedCount = range(T * S).filter((i) => elementAt(head.seen, Math.floor(i / S), i % S) === 0).length;
  const weight = percent(elementAt(head.weights, row, key));
  const divisor = 1 / head.scale;
  const root = Math.abs(divisor - Math.sqrt(D)) < 1e-6 ? `√${D}` : fixed(divisor);
  return [
    {
      id: "inputs",
      chapter: "Q, K, V",
      title: "Three vectors for each token",
      text: `A query, a key and a value of ${D} numbers, made from the token by learned weights. Point at any number.`,
      milliseconds: 1400,
    },
    {
      id: "dots",
      chapter: "Scores",
      title: "Each query meets each key",
      text: `A score is a dot product: ${D} products, added up. Its query is the row at its left, its key the column above it.`,
      milliseconds: 2600,
    },
    {
      id: "scaled",
      chapter: "Scale",
      title: `Divide by ${root}`,
      text: "Dot products grow with the length of the vectors. Divided, they stay in the range where softmax is not saturated.",
      milliseconds: 1600,
    },
    {
      id: "masked",
      chapter: "Mask",
      title:
        maskedCount === 0
          ? `${traced.name} masks nothing`
          : `${traced.name} masks ${maskedCount} of ${T * S} scores`,
      text:
        maskedCount === 0
          ? "Each token may attend to the words before it and after it."
          : "Hatched: keys that a query must not see. They get weight 0.",
      milliseconds: 1600,
    },
    {
      id: "weights",
      chapter: "Softmax",
      title: "Softmax turns a row into weights",
      text: `Each row of scores becomes weights that sum to 1. ${queryToken} gives ${weight} of its attention to ${key === row ? "itself" : keyToken}.`,
      milliseconds: 2600,
    },
    {
      id: "output",
      chapter: "Output",
      title: `${queryToken} attends most to ${key === row ? "itself" : keyToken}: ${weight}`,
      text: "Each row of the output is a mixture of the values above it. Point at any number to see where it comes from.",
      milliseconds: 2600,
    },
  ];
}
