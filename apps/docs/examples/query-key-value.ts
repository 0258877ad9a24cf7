import { show } from "@qkv/page";
import { matmul, mul, softmax, tensor, transpose } from "@qkv/tensor";
import { attentionMap, bars } from "@qkv/viz";

const words = "the cat sat on the mat because it was warm and soft".split(" ");

// What a word offers, what it looks for, what it hands over. Somebody chose these numbers; a model learns them.
const keys: Record<string, number[]> = { cat: [6, 0], mat: [6, 0], sat: [0, 6], was: [0, 6] }; // [thing, action]
const queries: Record<string, number[]> = {
  it: [1, 0],
  sat: [1, 0],
  was: [1, 0],
  warm: [1, 0],
  soft: [1, 0],
};
const values: Record<string, number[]> = { cat: [1, 0], mat: [0, 1] }; // [animal, place]

const rows = (table: Record<string, number[]>) => words.map((word) => table[word] ?? [0, 0]);
const query = tensor(rows(queries).flat(), { shape: [12, 2] }); // [T, D]
const key = tensor(rows(keys).flat(), { shape: [12, 2] }); // [S, D]
const value = tensor(rows(values).flat(), { shape: [12, 2] }); // [S, Dv]

const scores = mul(matmul(query, transpose(key, 0, 1)), 1 / Math.sqrt(2)); // [T, S]
const weights = softmax(scores); // each row sums to 1
const output = matmul(weights, value); // [T, Dv]

show(attentionMap(weights, { rowLabels: words, columnLabels: words }));
const it = { data: output.data.slice(2 * words.indexOf("it")).slice(0, 2), shape: [2] };
show(bars(it, { title: "What “it” receives", labels: ["animal", "place"], meaning: "value", max: 1 }));
