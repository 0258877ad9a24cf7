import { attention } from "@qkv/attention";
import { print } from "@qkv/page";
import { tensor } from "@qkv/tensor";

const words = "the cat sat on the mat because it was warm and soft".split(" ");
const rows = (table: Record<string, number[]>) => words.flatMap((word) => table[word] ?? [0, 0]);
const shape = [1, 1, 12, 2]; // [B, H, T, D]

const query = tensor(rows({ it: [1, 0] }), { shape });
const key = tensor(rows({ cat: [6, 0], mat: [6, 0], sat: [0, 6], was: [0, 6] }), { shape }); // change this line only
const value = tensor(rows({ cat: [1, 0], mat: [0, 1] }), { shape });

const animal = attention(query, key, value).data[2 * words.indexOf("it")] ?? 0;
print(
  animal > 0.8
    ? `Solved: ${animal.toFixed(2)} animal.`
    : `Not yet: ${animal.toFixed(2)} animal, and 0.80 is asked.`,
);
