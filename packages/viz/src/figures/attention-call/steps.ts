import type { Step } from "../figure.js";
import {
  elementAt,
  columns,
  followedKeys,
  isSeen,
  quoted,
  range,
  rows,
  type AttentionCallChoices,
  type AttentionCallModel,
} from "./model.js";
import { fixed } from "../fixed.js";
import { percent } from "../percents.js";

/** The story of one token through one call. */
export function steps(model: AttentionCallModel, choices: AttentionCallChoices): Step[] {
  const { tokens, head, channels, scale, projections } = model;
  const [T, C, D] = [rows(model.query), columns(model.x), columns(model.query)];
  const i = Math.min(choices.token, T - 1);
  const { mask, temperature } = choices;
  const t = quoted(tokens[i]!);
  const keys = followedKeys(model, i);
  const weight = (j: number) => elementAt(model.weights, i, j);
  const strongest = range(T).reduce((best, j) => (weight(j) > weight(best) ? j : best), 0);
  const hidden = range(T).filter((j) => !isSeen(model, i, j)).length;
  const list: Step[] = [];
  const add = (id: string, chapter: string, milliseconds: number, title: string, text: string) =>
    list.push({ id, chapter, milliseconds, title, text });

  add(
    "embed",
    "Input",
    1400,
    "Each token is a row of numbers",
    `${T} tokens, ${C} numbers each${head ? `: the input of ${head}` : ""}. We follow ${t}.` +
      (head
        ? " Earlier layers have already added context."
        : " The row encodes the token itself, and nothing about its neighbors yet."),
  );
  const how = projections
    ? `The row of ${t} is multiplied by each column of Wq. The ${D} sums are its query.`
    : `Wq, a ${C} × ${D} matrix, turns the ${C} numbers of ${t} into the ${D} numbers of its query.`;
  add("project-q", "Q, K, V", projections ? 4200 : 2600, "Query: what am I looking for?", how);
  add(
    "project-k",
    "Q, K, V",
    projections ? 3000 : 2200,
    "Key: which queries do I match?",
    "The same row is multiplied by another matrix. Wk gives every token a key, with which queries are compared.",
  );
  add(
    "project-v",
    "Q, K, V",
    projections ? 3000 : 2200,
    "Value: what do I pass on?",
    "A third matrix, Wv, gives the value: what a token passes on to the tokens that attend to it.",
  );
  add(
    "arrange",
    "Scores",
    2000,
    "Transpose the keys",
    "Each key becomes a column, so that every query row crosses every key column. That is all that the transpose does.",
  );
  keys.forEach((j, n) => {
    const score = fixed(elementAt(model.dots, i, j));
    const best = keys.every((other) => elementAt(model.dots, i, other) <= elementAt(model.dots, i, j));
    add(
      `score-${j}`,
      "Scores",
      n < 2 ? 3800 : 2600,
      `How well does ${quoted(tokens[j]!)} match?`,
      `Query of ${t} times key of ${quoted(tokens[j]!)}: ${D} products add up to ${score}.` +
        (best ? ` The best match${keys.length < T ? " of these" : " in this row"}.` : ""),
    );
  });
  if (keys.length < T) {
    add(
      "scores-row",
      "Scores",
      1600,
      `${t} is compared with every token`,
      `The other ${T - keys.length} dot products of this row are computed in the same way.`,
    );
  }
  add(
    "scores-all",
    "Scores",
    1600,
    "All queries in parallel",
    `The other ${T - 1} rows are computed in parallel: ${T} × ${T} scores.`,
  );
  const divisor = 1 / scale;
  add(
    "scale",
    "Scale",
    1800,
    `Divide by ${fixed(divisor, Number.isInteger(Number(divisor.toFixed(6))) ? 0 : 2)}`,
    `Dot products grow with the length of the vectors. Dividing by √${D}${temperature === 1 ? "" : `, and by the temperature ${temperature},`} keeps softmax from saturating.`,
  );
  add(
    "mask",
    "Mask",
    1600,
    { none: "No mask", causal: "Mask the future", window: "Mask the future and the distant past" }[mask],
    mask === "none"
      ? "Each token sees the whole text, as in an encoder such as BERT."
      : mask === "window"
        ? "A sliding window of 2 leaves each token itself and the one before it. Hatched cells get weight 0."
        : `A token sees itself and earlier tokens, never later ones. For ${t}, ${hidden === 0 ? "nothing is" : hidden === 1 ? "1 token is" : `${hidden} tokens are`} masked.`,
  );
  add(
    "exp",
    "Softmax",
    2200,
    "Softmax, part 1: exponentiate",
    "Subtract the row’s largest score, then apply exp. All results are positive, the best match gets 1, and small differences become large. Masked tokens get exactly 0.",
  );
  add(
    "normalize",
    "Softmax",
    2200,
    "Softmax, part 2: divide by the total",
    `The weights now sum to 1. ${t} gives ${percent(weight(strongest))} of its attention to ${strongest === i ? "itself" : quoted(tokens[strongest]!)}.`,
  );
  add(
    "weights-all",
    "Softmax",
    1400,
    "One row of weights per token",
    "Read a row to see where that token attends. Each row sums to 1.",
  );
  const mixed = keys.filter((j) => isSeen(model, i, j));
  for (const j of mixed) {
    add(
      `mix-${j}`,
      "Mixture",
      2200,
      `${percent(weight(j))} of ${quoted(tokens[j]!)}`,
      `The value of ${quoted(tokens[j]!)}, times ${fixed(weight(j))}, is added to the output of ${t}.`,
    );
  }
  const others = range(T).filter((j) => isSeen(model, i, j)).length - mixed.length;
  if (others > 0) {
    const share = range(T)
      .filter((j) => !mixed.includes(j))
      .reduce((sum, j) => sum + weight(j), 0);
    add(
      "mix-rest",
      "Mixture",
      1800,
      `${percent(share)} of the ${others} others`,
      `The values of all other tokens that ${t} sees are added, each times its weight.`,
    );
  }
  add(
    "output-all",
    "Output",
    1600,
    "The output: a weighted sum of values",
    `${t} is now a weighted sum of the values it attended to. Every other token gets its own.`,
  );
  add(
    "whole",
    "Output",
    1200,
    "The whole call",
    `${t} attends most to ${strongest === i ? "itself" : quoted(tokens[strongest]!)} (${percent(weight(strongest))}). Press Play to see why, or point at any ${channels ? "number" : "cell"}.`,
  );
  return list;
}
