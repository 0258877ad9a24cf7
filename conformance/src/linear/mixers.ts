import {
  based,
  chunkwise,
  deltaProduct,
  deltaRule,
  dplr,
  gatedDeltaRule,
  gdn2,
  gla,
  hgrn,
  kda,
  linearAttention,
  mix as mixAnyWay,
  preconditionedDeltaRule,
  rebased,
  retention,
  rwkv6,
  selectiveScan,
  simpleGla,
  ssd,
  type Mixer,
  type MixOptions,
  type Scan,
} from "@qkv/attention";
import {
  add,
  concat,
  div,
  exp,
  expandDims,
  mul,
  neg,
  norm,
  permute,
  repeat,
  reshape,
  silu,
  slice,
  softplus,
  squeeze,
  transpose,
  type Tensor,
} from "@qkv/tensor";
import { defineReferenceOp, type Named, type ReferenceOp } from "../reference-op.js";

/** Transposes upstream's layout `[B, T, H, …]` to ours, `[B, H, T, …]`; its own inverse. */
const headsFirst = (x: Tensor): Tensor => permute(x, [0, 2, 1, ...x.shape.slice(3).map((_, i) => i + 3)]);

/** Names of our inputs by upstream's names. */
type Names = Readonly<Record<string, string>>;

const qkv: Names = { query: "q", key: "k", value: "v" };

/** Scale and layout as most cases have them. */
const common = { scale: null as number | null, layout: undefined as string | undefined };

/** Mixers with a step that is linear in the state, under their names in the cases of `linear/`. */
export const mixerOps = mixerOpsBy(chunkwise());

/** The same operations, computed in the given form. */
export function mixerOpsBy(form: Scan): readonly ReferenceOp[] {
  const mix = (
    mixer: Mixer<string, string>,
    inputs: Readonly<Record<string, Tensor>>,
    options?: MixOptions,
  ) => mixAnyWay(mixer, inputs, { ...options, form });

  /** A mixer with inputs under upstream's names; `layout` is that of the case. */
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

  return [
    defineReferenceOp({
      name: "linear_attention",
      inputs: ["q", "k", "v"],
      optionalInputs: ["initial_state", "initial_z"],
      attributes: { ...common, normalize: false, output_final_state: true },
      run({ initial_state: state, initial_z: z, ...inputs }, { normalize, scale }) {
        const mixer = linearAttention({ normalize });
        if (!normalize)
          return mixed(mixer, qkv, { ...inputs, ...(state && { initial_state: state }) }, { scale });
        // We store the sum of the keys as the last column of the state; upstream as [B, 1, H, K].
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
      // The slopes are an input with a gradient; mixers.test.ts compares ours with them.
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
    defineReferenceOp({
      name: "gated_delta_product",
      inputs: ["q", "k", "v", "beta"],
      optionalInputs: ["g", "initial_state"],
      attributes: { ...common, num_householder: 1 },
      run: (inputs, { scale }) =>
        mixed(deltaProduct(), { ...qkv, beta: "beta", decay: "g" }, inputs, { scale }),
    }),
    ...[
      {
        name: "dplr_delta_rule",
        inputs: ["q", "k", "v", "a", "b", "gk"],
        names: { a: "a", b: "b", decay: "gk" },
      },
      { name: "iplr_delta_rule", inputs: ["q", "k", "v", "alpha", "beta"], names: { a: "alpha", b: "beta" } },
    ].map(({ name, inputs, names }) =>
      defineReferenceOp({
        name,
        inputs,
        optionalInputs: ["initial_state"],
        attributes: common,
        run: (inputs, attributes) => mixed(dplr(), { ...qkv, ...names }, inputs, attributes),
      }),
    ),
    defineReferenceOp({
      // a = −κ and b = κ ⊙ rate are separate inputs with gradients, so this is dplr, which rwkv7 is a case of.
      name: "rwkv7_op",
      inputs: ["r", "w", "k", "v", "a", "b"],
      attributes: { ...common, head_size: 1, decay: "exp(-exp(w))" },
      run({ r, w, k, v, a, b }, { head_size: headDim, scale }) {
        const apart = (x: Tensor) => {
          const [B, T, width] = x.shape as [number, number, number];
          return permute(reshape(x, [B, T, width / headDim, headDim]), [0, 2, 1, 3]);
        };
        const [query, key, value, left, right] = [r, k, v, a, b].map(apart) as Five;
        const inputs = { query, key, value, a: left, b: right, decay: neg(exp(apart(w))) };
        const { output } = mix(dplr(), inputs, { scale: scale! });
        return { o: reshape(permute(output, [0, 2, 1, 3]), r.shape) };
      },
    }),
    defineReferenceOp({
      name: "selective_scan",
      inputs: ["u", "delta", "A", "B", "C", "delta_bias"],
      optionalInputs: ["D", "z"],
      attributes: { delta_softplus: true, layout: "[B,D,T]" },
      run({ u, delta, A, B, C, delta_bias: bias, D, z }) {
        // [B, N, T] or [B, groups, N, T]
        const grouped = (x: Tensor) => transpose(x.shape.length === 3 ? expandDims(x, 1) : x);
        const deltaTime = softplus(add(delta, expandDims(bias, 1)));
        const inputs = { query: grouped(C), key: grouped(B), value: expandDims(u, 3), deltaTime, A };
        const { output, state } = mix(selectiveScan(), inputs);
        const y = squeeze(output, 3);
        const skipped = D ? add(y, mul(u, expandDims(D, 1))) : y;
        return { out: z ? mul(skipped, silu(z)) : skipped, last_state: squeeze(state, 3) };
      },
    }),
    defineReferenceOp({
      name: "ssd_minimal_discrete",
      inputs: ["X", "A", "B", "C"],
      optionalInputs: ["initial_states"],
      attributes: { block_len: 64, state_layout: "" },
      // A is dt · A and X is dt · x, as ssd computes them from its inputs.
      run({ X, A, B, C, initial_states: initial }) {
        const inputs = {
          query: headsFirst(C),
          key: headsFirst(B),
          value: headsFirst(X),
          decay: headsFirst(A),
        };
        const initialState = initial && transpose(squeeze(initial, 1));
        const { output, state } = mix(simpleGla(), inputs, {
          scale: 1,
          ...(initialState && { initialState }),
        });
        return { Y: headsFirst(output), final_state: transpose(state) };
      },
    }),
    defineReferenceOp({
      name: "ssd_chunk_scan_combined",
      inputs: ["x", "dt", "A", "B", "C", "dt_bias"],
      optionalInputs: ["D", "z"],
      attributes: { chunk_size: 64, dt_softplus: true, ngroups: 1 },
      run({ x, dt, A, B, C, dt_bias: bias, D, z }) {
        const deltaTime = headsFirst(softplus(add(dt, bias)));
        const inputs = { query: headsFirst(C), key: headsFirst(B), value: headsFirst(x), deltaTime, A };
        const y = headsFirst(mix(ssd(), inputs).output);
        const skipped = D ? add(y, mul(x, D.shape.length === 1 ? expandDims(D, 1) : D)) : y;
        return { out: z ? mul(skipped, silu(z)) : skipped };
      },
    }),
    ...(
      [
        ["based", based],
        ["rebased", rebased],
      ] as const
    ).map(([name, mixer]) =>
      defineReferenceOp({
        name,
        inputs: ["q", "k", "v"],
        attributes: { ...common, use_norm: true },
        run: (inputs, { use_norm: normalize, scale, layout }) =>
          mixed(mixer({ normalize }), qkv, inputs, { scale, layout }),
      }),
    ),
    defineReferenceOp({
      name: "precond_gated_delta_rule",
      inputs: ["q", "k", "v", "g_atk", "g", "beta_atk", "beta"],
      optionalInputs: ["initial_state", "initial_A_state"],
      attributes: { x: 1.5, eps: 1e-6, log_atk_scale: -0.2, normalizes_q_and_k: true },
      run({ q, k, v, initial_state: state, initial_A_state: moments, ...gates }, { x, eps, log_atk_scale }) {
        const unit = (x: Tensor) => div(x, norm(x, { axis: -1, keepDims: true }));
        const names = { ...qkv, decay: "g", beta: "beta", momentDecay: "g_atk", momentBeta: "beta_atk" };
        const group = v.shape[2]! / k.shape[2]!;
        const initial = state && {
          initial_state: concat([state, expandDims(repeat(moments!, group, 1), 3)], 3),
        };
        const mixer = preconditionedDeltaRule({ bound: x, eps, center: log_atk_scale });
        const result = mixed(mixer, names, { q: unit(q), k: unit(k), v, ...gates, ...initial });
        const [final, last] = [
          slice(result.final_state!, 3, 0, -1),
          squeeze(slice(result.final_state!, 3, -1), 3),
        ];
        const [B, H, K] = last.shape as [number, number, number];
        const perKeyHead = squeeze(slice(reshape(last, [B, H / group, group, K]), 2, 0, 1), 2);
        return { o: result.o!, final_state: final, final_A_state: perKeyHead };
      },
    }),
    defineReferenceOp({
      name: "gated_delta_rule_2",
      inputs: ["q", "k", "v", "g", "b", "w"],
      optionalInputs: ["initial_state"],
      attributes: common,
      run: (inputs, attributes) =>
        mixed(gdn2(), { ...qkv, decay: "g", erase: "b", write: "w" }, inputs, attributes),
    }),
    defineReferenceOp({
      name: "rwkv6",
      inputs: ["q", "k", "v", "w", "u"],
      optionalInputs: ["initial_state"],
      attributes: common,
      run: ({ u: bonus, initial_state: initialState, q: query, k: key, v: value, w: decay }, { scale }) => {
        const options = { ...(scale !== null && { scale }), ...(initialState && { initialState }) };
        const { output, state } = mix(rwkv6(), { query, key, value, decay, bonus }, options);
        return { o: output, final_state: state };
      },
    }),
    defineReferenceOp({
      // [B, T, D] has a single head.
      name: "hgrn",
      inputs: ["x", "g"],
      optionalInputs: ["initial_state"],
      run({ x, g, initial_state: initial }) {
        const options = initial && { initialState: expandDims(expandDims(initial, 1), 1) };
        const { output, state } = mix(hgrn(), { value: expandDims(x, 1), decay: expandDims(g, 1) }, options);
        return { o: squeeze(output, 1), final_state: squeeze(state, [1, 2]) };
      },
    }),
  ];
}

type Five = [Tensor, Tensor, Tensor, Tensor, Tensor];
