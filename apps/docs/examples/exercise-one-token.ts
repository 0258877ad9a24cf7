import { growingCache } from "@qkv/kv-cache";
import { check, print } from "@qkv/page";
import { count, type Tensor } from "@qkv/tensor";
import { decoder } from "@qkv/transformer";

const model = decoder({
  ...{ vocabSize: 64, embedDim: 32, hiddenDim: 64, numLayers: 2 },
  ...{ numHeads: 4, numKvHeads: 2, contextLength: 128 },
  ...{ normEps: 1e-5, stopIds: [] },
});
const params = model.init(1);
const text = [5, 12, 19, 26, 33, 40, 47, 54];

// The text arrives token by token. Change what the model is given each time.
const cache = growingCache({ numLayers: 2 });
let last: Tensor | undefined;
const { flops } = count(() => {
  for (let n = 1; n <= text.length; n++) {
    const known = text.slice(0, n);
    last = model.apply(params, known, { cache, last: 1 });
  }
});

const whole = count(() => model.apply(params, text, { last: 1 }));
print(cache.length, "tokens in the cache,", flops, "operations");
print("the whole text at once:", whole.flops, "operations");
check("the cache holds each token once", cache.length === text.length);
check(
  "the last logits equal those of the whole text",
  whole.result.data.every((x, i) => Math.abs(x - last!.data[i]!) < 1e-5),
);
check(
  "no token is computed twice: at most a quarter more work",
  flops < 1.25 * whole.flops,
);
