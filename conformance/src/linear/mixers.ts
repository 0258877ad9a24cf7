import {
  deltaRule,
  gatedDeltaRule,
  gla,
  kda,
  linearAttention,
  mix,
  retention,
  simpleGla,
  type Mixer,
  type MixOptions,
} from "@qkv/attention";
import { concat, permute, slice, transpose, type Tensor } from "@qkv/tensor";
import { defineReferenceOp, type Named, type ReferenceOp } from "../reference-op.js";

/** Upstream's layout `[B, T, H, …]` as ours, `[B, H, T, …]`, and back. */
const headsFirst = (x: Tensor): Tensor => permute(x, [0, 2, 1, ...x.shape.slice(3).map((_, i) => i + 3)]);

/** Names of our inputs by upstream's names. */
type Names = Readonly<Record<string, string>>;

const qkv: Names = { query: "q", key: "k", value: "v" };

/** A mixer on inputs under upstream's names; `layout` is that of the case. */
function mixed(
  mixer: Mixer<string, string>,
  names: Names,
  inputs: Partial<Named>,
  { scale, layout = "[B,T,H,D]" }: { scale?: number | null; layout?: string | undefined } = {},
): Named {
  const inOurs = layout === "[B,T,H,D]" ? headsFirst : (x: Tensor) => x;
  const ours = Object.entries(names).flatMap(([name, theirs]) => {
    const x = inputs[theirs];
    return x ? [[name, inOurs(x)] as const] : [];
  });
  const options: MixOptions = {
    ...(typeof scale === "number" && { scale }),
    ...(inputs["initial_state"] && { initialState: inputs["initial_state"] }),
  };
  const { output, state } = mix(mixer, Object.fromEntries(ours), options);
  return { o: inOurs(output), final_state: state };
}

/** Scale and layout as most cases have them. */
const common = { scale: null as number | null, layout: undefined as string | undefined };

/** Mixers whose step is linear in the state, under the names that the cases of `linear/` have. */
export const mixerOps: readonly ReferenceOp[] = [
  defineReferenceOp({
    name: "linear_attention",
    inputs: ["q", "k", "v"],
    optionalInputs: ["initial_state", "initial_z"],
    attributes: { ...common, normalize: false, output_final_state: true },
    run({ initial_state: state, initial_z: z, ...inputs }, { normalize, scale }) {
      const mixer = linearAttention({ normalize });
      if (!normalize)
        return mixed(mixer, qkv, { ...inputs, ...(state && { initial_state: state }) }, { scale });
      // Ours keeps the sum of the keys as the last column of the state; upstream as [B, 1, H, K].
      const whole = state && concat([state, transpose(permute(z!, [0, 2, 1, 3]))], 3);
      const { o, final_state } = mixed(
        mixer,
        qkv,
        { ...inputs, ...(whole && { initial_state: whole }) },
        { scale },
      );
      const sums = permute(slice(final_state!, 3, -1), [0, 3, 1, 2]);
      return { o: o!, final_state: slice(final_state!, 3, 0, -1), final_z: sums };
    },
  }),
  defineReferenceOp({
    name: "gla",
    inputs: ["q", "k", "v", "gk"],
    optionalInputs: ["initial_state"],
    attributes: common,
    run: (inputs, attributes) => mixed(gla(), { ...qkv, decay: "gk" }, inputs, attributes),
  }),
  defineReferenceOp({
    name: "simple_gla",
    inputs: ["q", "k", "v", "g"],
    optionalInputs: ["initial_state"],
    attributes: common,
    run: (inputs, attributes) => mixed(simpleGla(), { ...qkv, decay: "g" }, inputs, attributes),
  }),
  defineReferenceOp({
    // The slopes come as an input with a gradient of its own; mixers.test.ts holds ours against them.
    name: "lightning_attention",
    inputs: ["q", "k", "v", "g"],
    optionalInputs: ["initial_state"],
    attributes: { ...common, lightning_layer_idx: 0, lightning_num_layers: 1 },
    run: (inputs, { scale }) => mixed(simpleGla(), { ...qkv, decay: "g" }, inputs, { scale }),
  }),
  ...["retention", "retention_with_state"].map((name) =>
    defineReferenceOp({
      name,
      inputs: ["q", "k", "v"],
      optionalInputs: ["initial_state"],
      attributes: { ...common, log_gamma: [] as number[] },
      run: (inputs, { scale, layout }) => mixed(retention(), qkv, inputs, { scale, layout }),
    }),
  ),
  defineReferenceOp({
    name: "kda",
    inputs: ["q", "k", "v", "g", "beta"],
    optionalInputs: ["initial_state"],
    attributes: { ...common, value_heads: 0 },
    run: (inputs, { scale }) => mixed(kda(), { ...qkv, decay: "g", beta: "beta" }, inputs, { scale }),
  }),
  defineReferenceOp({
    name: "delta_rule",
    inputs: ["q", "k", "v", "beta"],
    optionalInputs: ["initial_state"],
    attributes: { ...common, beta: "per token" },
    run: (inputs, attributes) => mixed(deltaRule(), { ...qkv, beta: "beta" }, inputs, attributes),
  }),
  defineReferenceOp({
    name: "gated_delta_rule",
    inputs: ["q", "k", "v", "g", "beta"],
    optionalInputs: ["initial_state"],
    attributes: common,
    run: (inputs, attributes) =>
      mixed(gatedDeltaRule(), { ...qkv, decay: "g", beta: "beta" }, inputs, attributes),
  }),
];
