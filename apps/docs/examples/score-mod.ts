import { attention, attentionWeights, causal, scoreMod } from "@qkv/attention";
import { print, show, slider } from "@qkv/page";
import { grad, randn, sum, tensor, type Tensor } from "@qkv/tensor";
import { lookup } from "@qkv/attention-contract";
import { attentionMap } from "@qkv/viz";

const x = randn([1, 2, 8, 8], { seed: 1 }); // [B, H, T, D]
const penalty = slider("penalty per token of distance", {
  min: 0,
  max: 2,
  step: 0.1,
  value: 0.5,
});
const recent = scoreMod((score, at) =>
  score.sub(at.query.sub(at.key).mul(penalty)),
);
show(
  attentionMap(attentionWeights(x, x, { mask: causal(), scoreMod: recent })),
);

// The function is called once, with symbols; the recorded expression runs for
// every score.
let calls = 0;
const same = scoreMod((score) => (calls++, score));
const plain = attention(x, x, x).data.join();
if (attention(x, x, x, { scoreMod: same }).data.join() !== plain)
  throw new Error("the score changed");
print("calls for", 2 * 8 * 8, "scores:", calls);
if (calls !== 1) throw new Error("the function was called more than once");

// A mask can be written this way too, but a real mask lets whole tiles be
// skipped.
const noFuture = scoreMod((score, at) =>
  at.key.lessEqual(at.query).where(score, -Infinity),
);
const masked = attention(x, x, x, { mask: causal() }).data.join();
if (attention(x, x, x, { scoreMod: noFuture }).data.join() !== masked)
  throw new Error("it should equal causal()");

// A lookup table gets a gradient.
const slopes = grad((table: Tensor) => {
  const perHead = scoreMod((score, at) =>
    score.sub(at.query.sub(at.key).mul(lookup(table, at.head))),
  );
  return sum(attention(x, x, x, { mask: causal(), scoreMod: perHead }));
});
print(
  "gradient of the sum for each head's penalty:",
  slopes(tensor([0.5, 0.5])).data,
);
