import { check, show } from "@qkv/page";
import { matmul, mul, softmax, tensor, transpose } from "@qkv/tensor";
import { attentionMap, bars } from "@qkv/viz";

const words = "the cat sat on the mat because it was warm and soft".split(" ");

// The query, key and value of each word. A real model learns them.
const thing = [1, 0]; // [thing, action]
const queries = { it: thing, sat: thing, was: thing, warm: thing };
const keys = { cat: [6, 0], mat: [6, 0], sat: [0, 6], was: [0, 6] };
const values = { cat: [1, 0], mat: [0, 1] }; // [animal, place]

function rows(table: Record<string, number[]>) {
  const numbers = words.flatMap((word) => table[word] ?? [0, 0]);
  return tensor(numbers, { shape: [12, 2] });
}
const query = rows(queries); // [T, D]
const key = rows(keys); // [S, D]
const value = rows(values); // [S, Dv]

const scores = mul(matmul(query, transpose(key, 0, 1)), 1 / Math.sqrt(2));
const weights = softmax(scores); // [T, S], each row sums to 1
const output = matmul(weights, value); // [T, Dv]

show(attentionMap(weights, { rowLabels: words, columnLabels: words, scores }));
const at = 2 * words.indexOf("it");
const received = { data: output.data.slice(at, at + 2), shape: [2] };
const labels = ["animal", "place"];
show(bars(received, { title: "What “it” receives", labels, meaning: "value" }));
const [animal = NaN, place = NaN] = received.data;
check("“it” receives equal shares of both", Math.abs(animal - place) < 1e-6);
