import { attention, attentionWeights } from "@qkv/attention";
import { check, print } from "@qkv/page";
import { tensor } from "@qkv/tensor";

const words = "the cat sat on the mat".split(" ");
const rows = (table: Record<string, number[]>) =>
  tensor(
    words.flatMap((word) => table[word] ?? [0, 0]),
    { shape: [1, 1, 6, 2] },
  );
const query = rows({ sat: [6, 0], on: [0, 3], mat: [2, 2] });
const key = rows({ cat: [1, 0], mat: [1, 0], sat: [0, 1] });

// The value of each word is one number: the, cat, sat, on, the, mat. Change
// these.
const value = tensor([0, 0, 0, 0, 0, 0], { shape: [1, 1, 6, 1] });

const { data } = attention(query, key, value);
print(words.map((word, i) => `${word} ${data[i]!.toFixed(2)}`).join("  "));

const weights = attentionWeights(query, key).data;
const cat = words.indexOf("cat");
const holds = (i: number) => Math.abs(data[i]! - weights[i * 6 + cat]!) < 1e-6;
check(
  "each word receives the weight that it gives to the cat",
  words.every((_, i) => holds(i)),
);
