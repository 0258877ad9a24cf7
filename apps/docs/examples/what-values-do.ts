import { attention, attentionWeights } from "@qkv/attention";
import { choice, print, show } from "@qkv/page";
import { tensor } from "@qkv/tensor";
import { attentionMap } from "@qkv/viz";

const words = "the cat sat on the mat".split(" ");
const T = words.length;
const rows = (width: number, table: Record<string, number[]>) =>
  tensor(
    words.flatMap((word) => table[word] ?? new Array<number>(width).fill(0)),
    { shape: [1, 1, T, width] },
  );

// Queries and keys decide who looks at whom. The values play no part in it.
const query = rows(2, { sat: [6, 0], on: [0, 3], mat: [2, 2] });
const key = rows(2, { cat: [1, 0], mat: [1, 0], sat: [0, 1] });

// Four sets of values for the same words.
const each = <A>(f: (i: number) => A) => words.map((_, i) => f(i));
const values = {
  "one-hot: which word it is": each((i) => each((j) => (i === j ? 1 : 0))),
  "its position": each((i) => [i]),
  "a color (red, green, blue)": each(
    (i) =>
      [
        [0, 0, 0],
        [1, 0, 0],
        [0, 1, 0],
        [0, 0, 0],
        [0, 0, 0],
        [0, 0, 1],
      ][i]!,
  ),
  "the number 1": each(() => [1]),
};
type Name = keyof typeof values;
const outputOf = (name: Name) => {
  const width = values[name][0]!.length;
  const value = tensor(values[name].flat(), { shape: [1, 1, T, width] });
  return attention(query, key, value); // [B, H, T, Dv]
};

const names = Object.keys(values) as Name[];
const name = choice("value of each word", names, { value: "the number 1" });
const weights = attentionWeights(query, key); // [B, H, T, S]
show(attentionMap(weights, { rowLabels: words, columnLabels: words, max: 1 }));
const { data, shape } = outputOf(name);
const width = shape[3]!;
const received = Array.from(data.slice(2 * width, 3 * width));
print("“sat” receives", received.map((x) => x.toFixed(2)).join(", "));

// One-hot values give back the weights, and ones give one: softmax normalizes,
// values are the content.
const near = (a: number, b: number) => Math.abs(a - b) < 1e-6;
if (
  !outputOf("one-hot: which word it is").data.every((x, i) =>
    near(x, weights.data[i]!),
  )
)
  throw new Error("one-hot values did not give the weights");
if (!outputOf("the number 1").data.every((x) => near(x, 1)))
  throw new Error("ones did not give one");
