import {
  impliedWeights,
  linearAttention,
  mix,
  recurrent,
} from "@qkv/attention";
import { check, print, show } from "@qkv/page";
import { randn, relu } from "@qkv/tensor";
import { attentionMap } from "@qkv/viz";

const query = relu(randn([1, 1, 12, 8], { seed: 1 })); // [B, H, T, K]
const key = relu(randn([1, 1, 12, 8], { seed: 2 })); // no negative numbers
const value = randn([1, 1, 12, 4], { seed: 3 }); // [B, H, T, V]
const mixer = linearAttention({ normalize: true });
const { output, state } = mix(mixer, { query, key, value });

// There is no softmax and no map; this is the one that its outputs imply.
const weights = impliedWeights(mixer, { query, key, value });
show(attentionMap(weights));
print("numbers in the state, however long the text:", state.data.length);

// Token by token, with nothing but the state, gives the same.
const steps = mix(mixer, { query, key, value }, { form: recurrent });
const difference = Math.max(
  ...output.data.map((y, i) => Math.abs(y - (steps.output.data[i] ?? NaN))),
);
check("chunks and single steps agree", difference < 1e-5);
const lastRow = Array.from(weights.data.slice(-12)).reduce(
  (sum, weight) => sum + weight,
);
check("the weights of the last row sum to 1", Math.abs(lastRow - 1) < 1e-5);
