import {
  attentionWeights,
  causal,
  firstToken,
  induction,
  previousToken,
  sameToken,
} from "@qkv/attention";
import { print, show } from "@qkv/page";
import { concat, tensor } from "@qkv/tensor";
import { attentionMap } from "@qkv/viz";

const words = "the cat sat on the mat and the cat sat".split(" ");
const ids = words.map((word) => words.indexOf(word));
const T = words.length;

// Four heads set by hand: the position of the 1 in the query and in each key.
const rows = (place: (i: number) => number) =>
  tensor(
    Array.from({ length: T * T }, (_, n) =>
      n % T === place(Math.floor(n / T)) ? 10 : 0,
    ),
    { shape: [1, 1, T, T] },
  ); // [B, H, T, D]
const itself = (i: number) => i;
const word = (i: number) => ids[i] ?? -1;
const heads = {
  "previous token": [rows((i) => i - 1), rows(itself)],
  "first token": [rows(() => 0), rows(itself)],
  "same token": [rows(word), rows(word)],
  induction: [rows(word), rows((j) => word(j - 1))], // a key encodes the word before it
} as const;
const query = concat(
  Object.values(heads).map(([asks]) => asks),
  1,
);
const key = concat(
  Object.values(heads).map(([, answers]) => answers),
  1,
);
const weights = attentionWeights(query, key, { mask: causal() }); // [B, H, T, S]
show(attentionMap(weights, { rowLabels: words, columnLabels: words, max: 1 }));

const scores = [
  previousToken(weights),
  firstToken(weights),
  sameToken(weights, ids),
  induction(weights, ids),
];
scores.forEach(({ data }, pattern) => {
  print(
    (Object.keys(heads)[pattern] ?? "").padEnd(15),
    Array.from(data, (score) => score.toFixed(2)).join("  "),
  );
  if (data.indexOf(Math.max(...data)) !== pattern)
    throw new Error("another head matches the pattern better");
});
