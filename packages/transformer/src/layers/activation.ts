import { checks, knownNames } from "@qkv/core";
import { gelu, mul, relu, sigmoid, silu, tanh, type Tensor } from "@qkv/tensor";
import { xielu, type XieluParams } from "./xielu.js";

const functions = {
  silu,
  gelu: (x: Tensor) => gelu(x),
  geluTanh: (x: Tensor) => gelu(x, { approximate: "tanh" }),
  relu,
  reluSquared: (x: Tensor) => mul(relu(x), relu(x)),
  quickGelu: (x: Tensor) => mul(x, sigmoid(mul(x, 1.702))),
  tanh,
  xielu,
} as const satisfies Record<string, (x: Tensor, params: XieluParams | undefined) => Tensor>;

/**
 * Activation functions of feed-forward layers, by name. `geluTanh` is the approximation that GPT-2 was trained with,
 * `quickGelu` is `x · σ(1.702 x)`, `reluSquared` the square of ReLU (Primer, Nemotron), `xielu` learns its slopes (Apertus).
 */
export type Activation = keyof typeof functions;

/** Returns the activation function with a name. */
export function activationFunction(
  fn: string,
  name: Activation,
): (x: Tensor, params?: XieluParams) => Tensor {
  if (Object.hasOwn(functions, name)) return functions[name];
  return checks(fn).refuse({
    argument: "activation",
    received: name,
    expected: `one of ${knownNames(name, Object.keys(functions), `the reference of \`${fn}\``)}`,
    fix: "take the name that the model's configuration means; leave it out for silu.",
  });
}
