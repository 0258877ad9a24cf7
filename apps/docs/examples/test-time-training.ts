import { mix, tttLinear } from "@qkv/attention";
import { check, print, slider } from "@qkv/page";
import {
  abs,
  add,
  full,
  layerNorm,
  matmul,
  mean,
  mul,
  ones,
  randn,
  sub,
  zeros,
} from "@qkv/tensor";

const rate = slider("learning rate", {
  min: 0,
  max: 0.2,
  step: 0.02,
  value: 0.1,
});
const K = 4;
const rule = randn([K, K], { seed: 1 }); // hidden: the state has to learn it
const answer = (key: typeof rule) => add(key, layerNorm(matmul(key, rule)));
const norm = { normWeight: ones([1, K]), normBias: zeros([1, K]) };

// The model before the first token: a trained network learns it, here it is random.
const nothing = {
  weightGradient: zeros([1, 1, K, K]),
  biasGradient: zeros([1, 1, 1, K]),
};
const weight = mul(randn([1, 1, K, K], { seed: 9 }), 0.5);
const initialState = {
  weight,
  bias: zeros([1, 1, 1, K]),
  ...nothing,
  tokens: zeros([1]), // of an unfinished mini-batch, for each batch
};

// The model in the state after T tokens, asked for keys that it has not seen.
const fresh = randn([1, 1, 64, K], { seed: 3 });
const errors = [16, 64, 256].map((T) => {
  const key = randn([1, 1, T, K], { seed: 2 }); // [B, H, T, K]
  const learningRate = full([1, 1, T], rate);
  const inputs = { query: key, key, value: answer(key), learningRate, ...norm };
  const { state } = mix(tttLinear({ miniBatchSize: 4 }), inputs, {
    initialState,
  });
  const told = add(
    fresh,
    layerNorm(add(matmul(fresh, state.weight), state.bias)),
  );
  return mean(abs(sub(told, answer(fresh)))).data[0]!;
});
const figures = errors.map((error) => error.toFixed(3)).join(", ");
print("error after 16, 64 and 256 tokens:", figures);
check(
  "after 256 tokens the error is less than a tenth of that after 16",
  errors[2]! < errors[0]! / 10,
);
