import type { Step } from "../figure.js";
import {
  activeUnits,
  chosen as choose,
  kvHeadIndex,
  mean,
  l2Norm,
  quoted,
  range,
  rootMeanSquare,
  vector,
  type TransformerBlockChoices,
  type TransformerBlockModel,
} from "./model.js";
import { fixed, signed } from "../fixed.js";
import { percent } from "../percents.js";

/** From the text to the probabilities, with one block expanded. */
export function steps(model: TransformerBlockModel, choices: TransformerBlockChoices): Step[] {
  const { tokens, blocks, numHeads, numKvHeads, vocabSize, stream, writes } = model;
  const { t, l, h, target } = choose(model, choices);
  const [C, L, F] = [stream[0]!.shape[1]!, blocks.length, blocks[l]!.hidden.shape[1]!];
  const word = quoted(tokens[t]!.text);
  const goal = quoted(target.text);
  const at = (k: number) => vector(stream[k]!, t);
  const [first, second] = [2 * l, 2 * l + 1];
  const size = (k: number) => fixed(l2Norm(vector(writes[k]!, t)));
  const weights = vector(blocks[l]!.weights, h, t);
  const best = range(t + 1).reduce((a, b) => (weights[b]! > weights[a]! ? b : a), 0);
  const list: Step[] = [];
  const add = (id: string, chapter: string, milliseconds: number, title: string, text: string) =>
    list.push({ id, chapter, milliseconds, title, text });
  const count = (n: number, noun: string) => `${n.toLocaleString("en-US")} ${noun}${n === 1 ? "" : "s"}`;
  const norm = model.norm === "rms" ? "RMS norm" : "layer norm";

  add(
    "tokens",
    "Text",
    1200,
    "The text becomes token ids",
    `${count(tokens.length, "token")}, each a row number in a vocabulary of ${vocabSize.toLocaleString("en-US")}. We follow ${word}, id ${tokens[t]!.id}.`,
  );
  add(
    "embed",
    "Text",
    1800,
    "Each id picks a row of the embedding matrix",
    `${word} becomes ${C} numbers. This vector is the start of its residual stream, the line on the left.`,
  );
  add(
    "stream",
    "Stream",
    1600,
    "One line runs through the whole model",
    `Each token has a stream. The ${count(L, "block")} never replace it: each part reads it and adds something to it.`,
  );
  add(
    "enter",
    "Stream",
    2000,
    `Open block ${l}`,
    `The stream of ${word} enters with norm ${fixed(l2Norm(at(first)))}. A block has two parts, each after a norm: attention and an MLP.`,
  );
  add("norm-1", "Attention", 2200, `The ${norm} brings the vector to one size`, normText(model, t, first));
  add(
    "heads",
    "Attention",
    2200,
    `Attention: ${count(numHeads, "head")} read other tokens`,
    `Only here does ${word} learn about other tokens. ${numKvHeads < numHeads ? `${numHeads} query heads share ${count(numKvHeads, "KV head")}.` : "Each head has its own keys and values."} Every head picks its own tokens and adds its own vector.`,
  );
  add(
    "head",
    "Attention",
    2400,
    `Head ${h}: one attention call`,
    `The query of ${word} meets the keys of KV head ${kvHeadIndex(model, h)}. ${best === t ? "It attends most to itself" : `It attends most to ${quoted(tokens[best]!.text)}`}, with weight ${fixed(weights[best]!)}; the values are mixed in these proportions.`,
  );
  add(
    "attention",
    "Attention",
    1800,
    "The heads are summed",
    `Together the heads write one vector of ${C} numbers, with norm ${size(first)}.`,
  );
  add(
    "add-1",
    "Attention",
    1800,
    "The write is added to the stream",
    `Number by number, ${C} sums. The stream had norm ${fixed(l2Norm(at(first)))} and now has ${fixed(l2Norm(at(second)))}: ${word} is still there, with something added.`,
  );
  add("norm-2", "MLP", 1800, "A second norm, before the MLP", normText(model, t, second));
  add(
    "mlp",
    "MLP",
    2400,
    `The MLP: ${C} numbers up to ${F.toLocaleString("en-US")}, and down again`,
    `Each token by itself. ${F.toLocaleString("en-US")} hidden units look for patterns in the vector; ${model.activation} decides which are active. ${activeUnits(vector(blocks[l]!.hidden, t))} of them are more than half as active as the strongest.`,
  );
  add(
    "mlp-write",
    "MLP",
    1600,
    "Back down: what the MLP writes",
    `Each active unit adds its own direction. Their sum has norm ${size(second)}.`,
  );
  add(
    "block",
    "MLP",
    1800,
    `All of block ${l}`,
    `x + attention(norm(x)), then the same with the MLP. The stream leaves with norm ${fixed(l2Norm(at(second + 1)))}.`,
  );
  add(
    "blocks",
    "All blocks",
    2200,
    `${L === 1 ? "The model has one such block" : `${L} blocks, one after the other`}`,
    `The same two parts each time, with other weights. Each reads what all earlier ones have written.`,
  );
  add(
    "final-norm",
    "Prediction",
    1600,
    `A last ${norm}`,
    `The stream of ${word} now holds everything that the model found. It is brought to one size once more.`,
  );
  add(
    "logits",
    "Prediction",
    1800,
    "Unembedding: one logit for each token of the vocabulary",
    `The vector is compared with ${vocabSize.toLocaleString("en-US")} rows, by dot product. ${goal} gets ${fixed(target.logit)}.`,
  );
  add(
    "probabilities",
    "Prediction",
    1800,
    "softmax turns logits into probabilities",
    `${goal} is next with probability ${percent(target.now)}.`,
  );
  const parts = target.parts.map((value, i) => ({ value, i })).sort((a, b) => b.value - a.value);
  const top = parts[0]!;
  add(
    "contributions",
    "Prediction",
    1800,
    `Which part predicted ${goal}?`,
    `The logit is a sum: each part’s write, through the last norm (held as it is), times the row of ${goal}. ${sourceText(top.i)} adds most, ${signed(top.value)}.`,
  );
  add("whole", "Whole", 1400, wholeTitle(model, t, target), wholeText(model));
  return list;
}

const sourceText = (i: number) =>
  i === 0 ? "The embedding" : `${i % 2 ? "Attention" : "The MLP"} of block ${Math.floor((i - 1) / 2)}`;

function normText({ stream, normed, norm }: TransformerBlockModel, t: number, k: number): string {
  const [before, after] = [vector(stream[k]!, t), vector(normed[k]!, t)];
  const [from, to] = [fixed(rootMeanSquare(before)), fixed(rootMeanSquare(after))];
  return norm === "rms"
    ? `Divide by the root mean square, ${from}, then scale each number by a learned weight: rms ${from} becomes ${to}. Only the copy is changed; the stream goes on as it was.`
    : `Subtract the mean, ${fixed(mean(before))}, divide by the standard deviation, then scale and shift by learned numbers: rms ${from} becomes ${to}. Only the copy is changed.`;
}

function wholeTitle(
  model: TransformerBlockModel,
  t: number,
  target: { text: string; now: number; before: number },
): string {
  const [word, goal] = [quoted(model.tokens[t]!.text), quoted(target.text)];
  return model.removed === "none"
    ? `From text to prediction: after ${word} comes ${goal}, ${percent(target.now)}`
    : `With a part removed, ${goal} goes from ${percent(target.before)} to ${percent(target.now)}`;
}

function wholeText({ name, blocks, removed }: TransformerBlockModel): string {
  const source = `${name[0]!.toUpperCase()}${name.slice(1)}, ${blocks.length === 1 ? "1 block" : `${blocks.length} blocks`}.`;
  return removed === "none"
    ? `${source} Every part reads the stream and adds to it. Press × on a part to see what the model predicts without it.`
    : `${source} Every later part read a stream in which that write was missing. Press + to put the part back.`;
}
