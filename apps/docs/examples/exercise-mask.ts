import { attentionWeights, causal, slidingWindow } from "@qkv/attention";
import { and, keepFirst, not, or, prefix } from "@qkv/attention";
import { check, show } from "@qkv/page";
import { zeros } from "@qkv/tensor";
import { attentionMap } from "@qkv/viz";

// Change this mask. There are also and(…), or(…), not(…), keepFirst(n),
// prefix(n).
const mask = or(causal(), slidingWindow(3));

const x = zeros([1, 1, 10, 2]);
const { data } = attentionWeights(x, x, { mask });
show(attentionMap({ data, shape: [10, 10] }));

const sees = (query: number, key: number) => data[query * 10 + key]! > 0;
check(
  "token 9 sees itself and the two tokens before it",
  [7, 8, 9].every((key) => sees(9, key)),
);
check("it sees the first token, the attention sink", sees(9, 0));
check(
  "it sees nothing else",
  [1, 2, 3, 4, 5, 6].every((key) => !sees(9, key)),
);
check("no token sees a later token", !sees(3, 4) && !sees(0, 1));
