import { attention, causal } from "@qkv/attention";
import { print } from "@qkv/page";
import { einsum, matmul, randn, slice, transpose } from "@qkv/tensor";

let count = 0;
function claim(what: string, correct: boolean) {
  print(correct ? "✓" : "✗", what);
  if (!correct) throw new Error(`This correction is wrong: ${what}`);
  count++;
}
const [B, H, T, D] = [1, 8, 6, 4];
const [query, key] = [1, 2].map((seed) => randn([B, H, T, D], { seed })) as [
  ReturnType<typeof randn>,
  ReturnType<typeof randn>,
];

// Bytes of keys and values that one new token reads, with 8 heads and with 1:
// latency follows them.
const bytes = (kvHeads: number) => 2 * 4 * kvHeads * D * T;
claim("MHA reads 8 times as many bytes as MQA", bytes(8) === 8 * bytes(1));

// No transpose is needed: the same scores, from the same products in the same
// order.
const named = einsum("bhqd,bhkd->bhqk", query, key);
const transposed = matmul(query, transpose(key, 2, 3));
claim(
  "einsum and q·kᵀ give the same bits",
  named.data.every((x, i) => x === transposed.data[i]),
);

// QKᵀ is not the mask: the mask is known before any query or key.
const sees = causal().bind({ queryLength: T, keyLength: T }).sees;
claim(
  "a mask depends on no query and no key",
  sees(3, 3, 0, 0) && !sees(3, 4, 0, 0),
);

// Decoding with a mask aligned to the upper left gives a wrong answer without
// an error.
const last = slice(query, 2, T - 1, T);
const right = attention(last, key, key, { mask: causal() }).data;
const wrong = attention(last, key, key, {
  mask: causal({ align: "top-left" }),
}).data;
const whole = attention(query, key, key, { mask: causal() });
const row = slice(whole, 2, T - 1, T).data;
claim(
  "aligned bottom-right, the newest query sees every key",
  right.every((x, i) => x === row[i]),
);
claim(
  "aligned top-left, it sees only the first key",
  wrong.every((x, i) => x === slice(key, 2, 0, 1).data[i]),
);
print(`all ${count} claims are correct`);
