import {
  causal,
  plainAttention,
  sigmoidWeights,
  topKScores,
  type ScoreForm,
} from "@qkv/attention";
import { check, print, show } from "@qkv/page";
import { randn } from "@qkv/tensor";
import { attentionMap } from "@qkv/viz";

const x = randn([1, 1, 10, 8], { seed: 3 }); // [B, H, T, D]
const weightsWith = (...forms: ScoreForm[]) =>
  plainAttention(x, x, x, { mask: causal(), forms }).weights;

const softmax = weightsWith();
const best = weightsWith(topKScores(2));
const sigmoid = weightsWith(sigmoidWeights());
for (const weights of [softmax, best, sigmoid]) show(attentionMap(weights));

const lastRow = (weights: typeof softmax) => [...weights.data.slice(90)];
const total = (row: number[]) => row.reduce((a, b) => a + b, 0);
print("keys of the last query with weight:", lastRow(softmax).length);
const kept = lastRow(best).filter((weight) => weight > 0).length;
print("with the two best scores only:", kept);
print("sum of its sigmoid weights:", total(lastRow(sigmoid)));
check("two keys are left", kept === 2);
