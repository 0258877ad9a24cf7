import { ablate, runWithTrace, scoreParts, type Hooks } from "@qkv/lens";
import { loadTransformerLens } from "@qkv/lens/transformer-lens";
import { palindromeModel } from "@qkv/model-tiny/algorithms";
import { check, print, show, textField } from "@qkv/page";
import { argmax, slice, softmax, sum } from "@qkv/tensor";
import { palindromeBatches } from "@qkv/transformer/tasks";
import { attentionMap, bars } from "@qkv/viz";

// Two layers of two heads, without a feed-forward layer: a file in the names of TransformerLens.
const model = await loadTransformerLens(await palindromeModel());
const example = "271828828172";
const typed = textField("twelve digits", { value: example }).match(/\d/g);
const digits = typed?.length === 12 ? typed : [...example];
if (typed?.length !== 12) print("Give twelve digits; until then:", example);
const [start, end] = [10, 11];
const idsOf = (row: readonly string[]) => [start, ...row.map(Number), end];
const ids = idsOf(digits);

// The places that the second head of the first layer reads.
const { logits, tensors } = runWithTrace(model, ids, { names: ["weights"] });
const mapOf = (weights: typeof logits, head: number) =>
  slice(weights, 1, head, head + 1);
const labels = ["start", ...digits, "end"];
const first = tensors["layers.0.attention.weights"]!;
show(
  attentionMap(mapOf(first, 1), {
    rowLabels: labels,
    columnLabels: labels,
    title: "layer 0, head 1",
  }),
);
const answer = softmax(slice(logits, 1, 13)).data[1]!;
print(`probability of a palindrome: ${answer.toFixed(3)}`);

// The share of answers that are right on rows that it was not trained on, with and without heads.
const heldOut = palindromeBatches({ seed: 2, batchSize: 500 })(0);
const answers = [...heldOut.targets.data].filter((target) => target >= 0);
function accuracy(hooks: Hooks = {}): number {
  const run = runWithTrace(model, heldOut.ids, { names: [], hooks });
  const best = argmax(slice(run.logits, 1, 13), { axis: -1 }).data;
  return answers.filter((right, row) => best[row] === right).length / 500;
}
const [a, b, c, d] = [0, 1].flatMap((layer) =>
  [0, 1].map((head) => ({ layer, head })),
) as [Place, Place, Place, Place];
type Place = { layer: number; head: number };
const removed = {
  "all heads": [],
  "without layer 0, head 0": [a],
  "without layer 0, head 1": [b],
  "without layer 1, head 0": [c],
  "without layer 1, head 1": [d],
  "without both of layer 1": [c, d],
};
const shares = Object.values(removed).map((heads) => accuracy(ablate(heads)));
show(
  bars(
    { data: shares, shape: [shares.length] },
    { labels: Object.keys(removed), max: 1, title: "share of right answers" },
  ),
);
print(`${(100 * shares[0]!).toFixed(1)} % of 500 rows are right`);

// The weight on the mirrored digit, where it is the same and where it is not.
const rows = runWithTrace(model, heldOut.ids, { names: ["weights"] });
const weights = mapOf(rows.tensors["layers.0.attention.weights"]!, 1).data;
const mirrored = { same: [] as number[], other: [] as number[] };
for (let row = 0; row < 500; row++)
  for (let t = 1; t <= 12; t++) {
    const at = (place: number) => heldOut.ids.data[row * 14 + place];
    const kind = at(t) === at(13 - t) ? "same" : "other";
    mirrored[kind].push(Number(weights[(row * 14 + t) * 14 + 13 - t]));
  }
const mean = (list: readonly number[]) =>
  list.reduce((total, x) => total + x, 0) / list.length;
print(
  `weight on the mirrored digit: ${mean(mirrored.same).toFixed(2)} where it is the same, ${mean(mirrored.other).toFixed(2)} where not`,
);

// The score of the second-last digit and its mirror image, by what both are made of.
const place = { layer: 0, head: 1, query: 11, key: 2 };
const { querySources, keySources, values } = scoreParts(model, ids, place);
const part = (query: string, key: string) => {
  const q = querySources.findIndex(({ name }) => name === query);
  const k = keySources.findIndex(({ name }) => name === key);
  return Number(values.data[q * keySources.length + k]);
};
const kinds = ["embedding", "position"] as const;
const pairs = kinds.flatMap((q) => kinds.map((k) => [q, k] as const));
const parts = pairs.map(([q, k]) => part(q, k));
const rest =
  Number(sum(values).data[0]) - parts.reduce((total, x) => total + x, 0);
const words = { embedding: "digit", position: "place" };
show(
  bars(
    { data: [...parts, rest], shape: [5] },
    {
      labels: [...pairs.map(([q, k]) => `${words[q]} × ${words[k]}`), "biases"],
      title: `score of digit ${digits[10]} on its mirror image ${digits[1]}, by what they are made of`,
    },
  ),
);

check("more than 99.5 % of the rows are right", shares[0]! >= 0.995);
check(
  "without the head that compares, the answers are guesses",
  shares[2]! < 0.7,
);
check(
  "one head of layer 1 is enough, none is not",
  shares[3]! > 0.95 && shares[5]! < 0.6,
);
check(
  "it looks at the mirrored digit where it is the same",
  mean(mirrored.same) > 3 * mean(mirrored.other),
);
