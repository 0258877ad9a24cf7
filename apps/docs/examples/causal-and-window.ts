import {
  attention,
  attentionWeights,
  causal,
  slidingWindow,
} from "@qkv/attention";
import { choice, print, show, slider } from "@qkv/page";
import { tensor } from "@qkv/tensor";
import { attentionMap } from "@qkv/viz";

const words = "the cat sat on the mat because it was warm and soft".split(" ");
function rows(table: Record<string, number[]>) {
  const numbers = words.flatMap((word) => table[word] ?? [0, 0]);
  return tensor(numbers, { shape: [1, 1, 12, 2] }); // [B, H, T, D]
}

const thing = [1, 0];
const query = rows({ sat: thing, it: thing, was: thing, warm: thing });
const key = rows({ cat: [6, 0], mat: [6, 0], sat: [0, 6], was: [0, 6] });
const value = rows({ cat: [1, 0], mat: [0, 1] });

const causalMask = choice("causal mask", ["on", "off"]);
const length = slider("window, in tokens", { min: 1, max: 12, value: 4 });
const mask = length < 12 ? slidingWindow(length) : causal();
const options = causalMask === "on" ? { mask } : {};

const weights = attentionWeights(query, key, options); // [B, H, T, S]
show(attentionMap(weights, { rowLabels: words, columnLabels: words, max: 1 }));

const { data } = attention(query, key, value, options); // [B, H, T, Dv]
const [animal = 0, place = 0] = data.slice(2 * words.indexOf("it"));
print("“it” receives", animal.toFixed(2), "animal,", place.toFixed(2), "place");
