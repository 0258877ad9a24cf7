import { mix, shortConvolution } from "@qkv/attention";
import { check, print } from "@qkv/page";
import { concat, ones, slice, tensor } from "@qkv/tensor";

const taps = tensor([[[1, 2, 3]]]); // [H, K, N]: the last tap meets the newest token
const value = tensor([[[[1], [10], [100], [1000]]]]); // [B, H, T, K]
const open = ones([1, 1, 4, 1]);
const shut = tensor([[[[1], [1], [0], [1]]]]); // the gate of the input is shut at token 2
const inputs = { query: open, key: shut, value };

const { output, state } = mix(shortConvolution(), { ...inputs, taps });
print("output:", [...output.data]);
print("state: ", [...state.inputs.data]);

// Token by token, with the state in between.
let carried: typeof state | undefined;
const steps = [0, 1, 2, 3].map((t) => {
  const token = (x: typeof value) => slice(x, 2, t, t + 1);
  const { query, key, value } = inputs;
  const one = {
    query: token(query),
    key: token(key),
    value: token(value),
    taps,
  };
  const step = mix(
    shortConvolution(),
    one,
    carried && { initialState: carried },
  );
  carried = step.state;
  return step.output;
});
check(
  "token by token gives the same",
  [...concat(steps, 2).data].join() === [...output.data].join(),
);
