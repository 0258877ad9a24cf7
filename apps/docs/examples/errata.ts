import { attention, causal } from "@qkv/attention";
import { print } from "@qkv/page";
import { einsum, matmul, randn, slice, transpose } from "@qkv/tensor";

let holds = 0;
function claim(what: string, is: boolean) {
  print(is ? "holds  " : "FAILS  ", what);
  if (!is) throw new Error(`An erratum does not hold: ${what}`);
  holds++;
}
const [B, H, T, D] = [1, 8, 6, 4];
const [query, key] = [1, 2].map((seed) => randn([B, H, T, D], { seed })) as [
  ReturnType<typeof randn>,
  ReturnType<typeof randn>,
];

// Bytes of keys and values that one new token reads, with 8 heads and with 1: the arrow of latency follows them.
const bytes = (kvHeads: number) => 2 * 4 * kvHeads * D * T;
claim("MHA reads 8 times what MQA reads", bytes(8) === 8 * bytes(1));

// No transpose is meant: the same scores, from the same products in the same order.
const named = einsum("bhqd,bhkd->bhqk", query, key);
const transposed = matmul(query, transpose(key, 2, 3));
claim(
  "einsum and q·kᵀ are equal",
  named.data.every((x, i) => x === transposed.data[i]),
);

// The square of queries and keys is not the mask: the mask is known before it, and one token changes it.
const sees = causal().bind({ queryLength: T, keyLength: T }).sees;
claim(
  "a mask needs no query and no key",
  sees(3, 3, 0, 0) && !sees(3, 4, 0, 0),
);

// Decoding with a mask aligned to the upper left gives an answer, and a wrong one.
const last = slice(query, 2, T - 1, T);
const right = attention(last, key, key, { mask: causal() }).data;
const wrong = attention(last, key, key, {
  mask: causal({ align: "top-left" }),
}).data;
const whole = attention(query, key, key, { mask: causal() });
const row = slice(whole, 2, T - 1, T).data;
claim(
  "the newest query sees all when aligned bottom-right",
  right.every((x, i) => x === row[i]),
);
claim(
  "and one key alone when aligned top-left",
  wrong.every((x, i) => x === slice(key, 2, 0, 1).data[i]),
);
print(holds, "claims hold");
