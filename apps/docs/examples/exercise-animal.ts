import { attention } from "@qkv/attention";
import { check, print } from "@qkv/page";
import { tensor } from "@qkv/tensor";

const words = "the cat sat on the mat because it was warm and soft".split(" ");
function rows(table: Record<string, number[]>) {
  const numbers = words.flatMap((word) => table[word] ?? [0, 0]);
  return tensor(numbers, { shape: [1, 1, 12, 2] }); // [B, H, T, D]
}

const query = rows({ it: [1, 0] });
const key = rows({ cat: [6, 0], mat: [6, 0], sat: [0, 6], was: [0, 6] }); // change this
const value = rows({ cat: [1, 0], mat: [0, 1] });

const { data } = attention(query, key, value);
const animal = data[2 * words.indexOf("it")] ?? 0;
print(animal.toFixed(2), "animal");
check("“it” receives more than 0.80 animal", animal > 0.8);
