import {
  deltaRule,
  gatedDeltaRule,
  impliedWeights,
  linearAttention,
  mix,
  simpleGla,
  type Mixer,
  type MixInputs,
} from "@qkv/attention";
import { checks } from "@qkv/core";
import { full, matmul, mul, slice, tensor, zeros, type Tensor } from "@qkv/tensor";
import {
  writtenState,
  type WrittenStateChoices,
  type WrittenStateModel,
  type WrittenText,
} from "@qkv/viz/figures/written-state";

const channels = ["red", "blue", "gold", "green"];

/** Keys of norm 1. Those of “cup” and “cap” are similar, and “pen” is similar to all. */
const keys: Readonly<Record<string, readonly number[]>> = {
  cup: [1, 0, 0],
  cap: [0.6, 0.8, 0],
  hat: [0, 0, 1],
  pen: [0.48, 0.64, 0.6],
};
const texts: Readonly<Record<WrittenText, string>> = {
  again: "cup:red hat:blue cup:green cup? hat?",
  alike: "cup:red cap:blue hat:gold cup:green cup? cap? hat?",
  full: "cup:red cap:blue hat:gold pen:green cup? cap? hat? pen?",
};

/**
 * Computes the numbers of *A state that is written and erased*: a short text through `linearAttention`, `simpleGla`,
 * `deltaRule` or `gatedDeltaRule` of `@qkv/attention`, its state after each token, and the map by `impliedWeights`.
 *
 * @throws {ArgumentError} If a choice is not one that the figure offers, or has another name.
 *
 * @example
 * ```ts
 * import { writtenStateModel } from "@qkv/figures/written-state";
 *
 * const { tokens, channels } = writtenStateModel({ text: "again", rule: "delta" });
 * channels[tokens.find(({ text }) => text === "cup?")!.output.indexOf(1)]; // => "green"
 * ```
 */
export function writtenStateModel(options?: Partial<WrittenStateChoices>): WrittenStateModel {
  const check = checks("writtenStateModel");
  const given = check.options(options, ["text", "rule", "beta", "gate"]);
  const { text, rule, beta, gate } = { ...writtenState.initial, ...given };
  check.oneOf({ text }, ["again", "alike", "full"]);
  check.oneOf({ rule }, ["add", "delta"]);
  check.finite({ beta }, { min: 0, max: 1 });
  check.finite({ gate }, { min: 0.01, max: 1 });

  const parts = texts[text].split(" ").map((token) => {
    const [thing = "", color = ""] = token.split(/[:?]/);
    return { text: token, isQuery: token.endsWith("?"), key: keys[thing]!, value: oneHot(color) };
  });
  const T = parts.length;
  const query = tensor([[parts.map(({ key }) => key)]] as number[][][][]); // [B, H, T, K]
  const stores = tensor([[parts.map(({ isQuery }) => [isQuery ? 0 : 1])]]);
  const inputs = {
    query,
    key: mul(query, stores),
    value: tensor([[parts.map(({ value }) => value)]] as number[][][][]),
  };
  const decay = full([1, 1, T], Math.log(gate));
  const rates = full([1, 1, T], beta);
  const isGated = gate !== 1;
  const additive = () =>
    isGated ? runMixer(simpleGla(), { ...inputs, decay }) : runMixer(linearAttention(), inputs);
  const delta = () =>
    isGated
      ? runMixer(gatedDeltaRule(), { ...inputs, decay, beta: rates })
      : runMixer(deltaRule(), { ...inputs, beta: rates });
  const run = rule === "add" ? additive() : delta();
  const [K, V] = [parts[0]!.key.length, channels.length];
  return {
    channels,
    weights: { data: Array.from(run.weights.data), shape: [T, T] },
    tokens: parts.map((part, t) => {
      const before = t === 0 ? zeros([1, 1, K, V]) : run.states[t - 1]!;
      const decayed = mul(before, gate);
      const held = Array.from(matmul(slice(query, 2, t, t + 1), decayed).data);
      const whole = rule === "add" ? part.value : part.value.map((value, v) => beta * (value - held[v]!));
      return {
        ...part,
        held,
        update: part.isQuery ? part.value.map(() => 0) : whole,
        decayed: { data: Array.from(decayed.data), shape: [K, V] },
        state: { data: Array.from(run.states[t]!.data), shape: [K, V] },
        output: Array.from(slice(run.output, 2, t, t + 1).data),
      };
    }),
  };
}

/** Output, implied attention map, and the state after each token. */
function runMixer<Required extends string>(mixer: Mixer<Required>, inputs: MixInputs<Required, never>) {
  const options = { scale: 1 };
  const { output } = mix(mixer, inputs, options);
  const length = output.shape[2]!;
  const upTo = (end: number) =>
    Object.fromEntries(
      Object.entries<Tensor>(inputs).map(([name, input]) => [name, slice(input, 2, 0, end)]),
    ) as MixInputs<Required, never>;
  const states = Array.from({ length }, (_, t) => mix(mixer, upTo(t + 1), options).state);
  return { output, states, weights: impliedWeights(mixer, inputs, options) };
}

const oneHot = (color: string) => channels.map((channel) => Number(channel === color));
