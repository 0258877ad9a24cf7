import { causal, cope, plainAttention } from "@qkv/attention";
import { check, print, show } from "@qkv/page";
import { arange, ones, reshape, tensor } from "@qkv/tensor";
import { attentionMap } from "@qkv/viz";

// Every third token ends a sentence: its key matches, all others do not.
const ends = (token: number) => token % 3 === 2;
const keys = Array.from({ length: 12 }, (_, token) => (ends(token) ? 12 : -12));
const query = ones([1, 1, 12, 1]); // [B, H, T, D]
const key = tensor([[keys.map((number) => [number])]]);
// The vector of place p is p itself, so that the added score is the place.
const table = reshape(arange(12), [12, 1]); // [P, D]

const options = { mask: causal(), scale: 1 };
const plain = plainAttention(query, key, key, options);
const counted = plainAttention(query, key, key, {
  ...options,
  forms: [cope(table)],
});
show(attentionMap(counted.weights));

const place = (token: number) =>
  (counted.scores.data[11 * 12 + token] ?? NaN) -
  (plain.scores.data[11 * 12 + token] ?? NaN);
print(
  "places seen by the last query:",
  Array.from({ length: 12 }, (_, token) => Math.round(place(token))),
);
check("the first token is 4 sentences away", Math.abs(place(0) - 4) < 0.01);
