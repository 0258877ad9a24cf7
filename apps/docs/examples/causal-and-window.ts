import { attention, attentionWeights, causal, slidingWindow } from "@qkv/attention";
import { print, show, slider } from "@qkv/page";
import { tensor } from "@qkv/tensor";
import { attentionMap } from "@qkv/viz";

const words = "the cat sat on the mat because it was warm and soft".split(" ");
const rows = (table: Record<string, number[]>) => words.flatMap((word) => table[word] ?? [0, 0]);
const shape = [1, 1, 12, 2]; // [B, H, T, D]
const query = tensor(rows({ it: [1, 0], sat: [1, 0], was: [1, 0], warm: [1, 0], soft: [1, 0] }), { shape });
const key = tensor(rows({ cat: [6, 0], mat: [6, 0], sat: [0, 6], was: [0, 6] }), { shape });
const value = tensor(rows({ cat: [1, 0], mat: [0, 1] }), { shape });

const masked = slider("causal mask (0 off, 1 on)", { min: 0, max: 1, value: 1 }) === 1;
const windowSize = slider("window, in tokens", { min: 1, max: 12, value: 12 });
const options = masked ? { mask: windowSize < 12 ? slidingWindow(windowSize) : causal() } : {};

show(attentionMap(attentionWeights(query, key, options), { rowLabels: words, columnLabels: words, max: 1 }));
const [animal, place] = attention(query, key, value, options).data.slice(2 * words.indexOf("it"));
print(`“it” receives ${animal?.toFixed(2)} animal and ${place?.toFixed(2)} place`);
