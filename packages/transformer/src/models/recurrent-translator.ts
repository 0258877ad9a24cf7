import { padding, type LinearParams, type RowsOptions } from "@qkv/attention";
import { checks, type Checks } from "@qkv/core";
import {
  concat,
  embedding,
  linear,
  mul,
  randn,
  reshape,
  slice,
  splitSeed,
  tanh,
  zeros,
  argmax,
  tensor,
  type Tensor,
} from "@qkv/tensor";
import { gru, type GruParams } from "../layers/gru.js";

/** Attention of the decoder: `additive(…)`, `luongGeneral(…)` or `luongConcat(…)`, with query and key of width `hiddenDim`. */
export type TranslatorAttention<P> = {
  init(seed: number): P;
  /** Query `[B, T, F]`, key and value `[B, S, F]` to `[B, T, F]`. */
  apply(params: P, query: Tensor, key: Tensor, value: Tensor, options?: RowsOptions): Tensor;
};

/** Configuration of a translator. */
export type RecurrentTranslatorConfig<P> = {
  /** V, of source and target. */
  vocabSize: number;
  /** C, the width of token embeddings. */
  embedDim: number;
  /** F, the width of the decoder state and of annotations, of which each encoder direction has half. Even. */
  hiddenDim: number;
  attention: TranslatorAttention<P>;
  /**
   * The decoder state that is the query: the `previous` one, before it consumes the last token (Bahdanau), or the
   * `current` one, after it (Luong).
   */
  queryState: "previous" | "current";
};

/** Params of a translator. */
export type RecurrentTranslatorParams<P> = {
  /** `[V, C]` */
  sourceEmbedding: { weight: Tensor };
  /** `[V, C]` */
  targetEmbedding: { weight: Tensor };
  forwardEncoder: GruParams;
  backwardEncoder: GruParams;
  /** `[F, F / 2]`: from the last state of the backward encoder to the first state of the decoder. */
  initialState: LinearParams;
  decoder: GruParams;
  attention: P;
  /** `[F, 2 · F]`: applied to context and state, concatenated (Luong's W_c). */
  combine: LinearParams;
  /** `[V, F]` */
  output: LinearParams;
};

/** The encoded source: one annotation for each token, `[B, S, F]`, and the first state of the decoder, `[B, F]`. */
export type Annotations = { annotations: Tensor; state: Tensor; lengths: readonly number[] | undefined };

const seedParts = [
  ...(["sourceEmbedding", "targetEmbedding", "forwardEncoder", "backwardEncoder", "initialState"] as const),
  ...(["decoder", "attention", "combine", "output"] as const),
] as const;

/** A translator: created from its configuration; the params are passed to each call. */
export type RecurrentTranslator<P> = {
  readonly config: RecurrentTranslatorConfig<P>;
  /** Random weights. */
  init(seed: number): RecurrentTranslatorParams<P>;
  /** Encodes token ids, int32 `[B, S]`. `lengths`: length of each source without padding. Unit: tokens. Default: no padding. */
  encode(params: RecurrentTranslatorParams<P>, source: Tensor, lengths?: readonly number[]): Annotations;
  /**
   * Logits `[B, T, V]` of each next token, from the encoded source and the target so far, int32 `[B, T]`, the start token
   * first. A trace of `weights` is the alignment, `[B, 1, T, S]`.
   */
  apply(
    params: RecurrentTranslatorParams<P>,
    encoded: Annotations,
    target: Tensor,
    options?: Pick<RowsOptions, "trace">,
  ): Tensor;
  /** Decodes greedily, `length` tokens for each source: ids, B lists, without the start token. */
  greedyDecode(
    params: RecurrentTranslatorParams<P>,
    encoded: Annotations,
    options: { startId: number; length: number },
  ): number[][];
};

/**
 * A recurrent encoder-decoder with attention, from before transformers: a gated recurrent unit encodes the source in
 * both directions, another decodes, and attention aligns the two. The query is the decoder's state; keys and values are
 * the same annotations of the source.
 *
 * @throws {ArgumentError} If `hiddenDim` is odd or `queryState` is neither of the two.
 * @see "Neural Machine Translation by Jointly Learning to Align and Translate" (2014), arXiv:1409.0473; "Effective
 *   Approaches to Attention-based Neural Machine Translation" (2015), arXiv:1508.04025. Logits are computed as in
 *   the second, by one `tanh` layer, for both values of `queryState`; the first has a maxout layer there.
 *
 * @example
 * ```ts
 * import { additive } from "@qkv/attention";
 * import { tensor } from "@qkv/tensor";
 * import { recurrentTranslator } from "@qkv/transformer";
 *
 * const attention = additive({ queryDim: 8, keyDim: 8, hiddenDim: 8 });
 * const model = recurrentTranslator({ vocabSize: 11, embedDim: 4, hiddenDim: 8, attention, queryState: "previous" });
 * const params = model.init(1);
 * const encoded = model.encode(params, tensor([[3, 1, 4, 1]], { dtype: "int32" }));
 * model.apply(params, encoded, tensor([[0, 5]], { dtype: "int32" })).shape; // => [1, 2, 11]
 * model.greedyDecode(params, encoded, { startId: 0, length: 3 })[0].length; // => 3
 * ```
 */
export function recurrentTranslator<P>(config: RecurrentTranslatorConfig<P>): RecurrentTranslator<P> {
  const names = ["vocabSize", "embedDim", "hiddenDim", "attention", "queryState"] as const;
  const {
    vocabSize: V,
    embedDim: C,
    hiddenDim: F,
    attention,
    queryState,
  } = check.options(config, names, "config");
  check.whole({ vocabSize: V, embedDim: C }, { min: 1 });
  const isEven = (value: unknown) => Number.isInteger((value as number) / 2) && (value as number) >= 2;
  const fix = "each direction of the encoder gives half of an annotation.";
  check.each({ hiddenDim: F }, isEven, "an even integer, 2 or more", fix);
  const isAttention = (value: unknown) =>
    typeof (value as TranslatorAttention<P> | null | undefined)?.apply === "function";
  check.each(
    { attention },
    isAttention,
    "an attention layer over rows `[B, T, F]`, such as `additive(…)`",
    "write `additive({ … })`.",
  );
  check.oneOf(
    { queryState },
    ["previous", "current"],
    '"previous" is Bahdanau\'s order, "current" Luong\'s.',
  );
  const encoder = gru({ embedDim: C, hiddenDim: F / 2 });
  const decoder = gru({ embedDim: queryState === "previous" ? C + F : C, hiddenDim: F });

  /** Bahdanau: the context of the previous state, then the state. Both `[B, T, F]`. */
  function attendBeforeUpdate(
    params: RecurrentTranslatorParams<P>,
    encoded: Annotations,
    tokens: Tensor,
    attend: Attend,
  ) {
    const [B, T] = tokens.shape as [number, number];
    let { state } = encoded;
    const [states, contexts]: [Tensor[], Tensor[]] = [[], []];
    for (let t = 0; t < T; t++) {
      const context = attend(reshape(state, [B, 1, F]));
      const x = concat([slice(tokens, 1, t, t + 1), context], 2);
      state = decoder.apply(params.decoder, x, { state }).state;
      contexts.push(context);
      states.push(reshape(state, [B, 1, F]));
    }
    return { states: concat(states, 1), contexts: concat(contexts, 1) };
  }

  const model: RecurrentTranslator<P> = {
    config,
    init(seed) {
      const seeds = splitSeed(seed, seedParts, 12);
      const draw = (seed: number, shape: [number, number], deviation = 1 / Math.sqrt(shape[1])) => ({
        weight: mul(randn(shape, { seed }), deviation),
      });
      return {
        sourceEmbedding: draw(seeds.sourceEmbedding, [V, C], 1),
        targetEmbedding: draw(seeds.targetEmbedding, [V, C], 1),
        forwardEncoder: encoder.init(seeds.forwardEncoder),
        backwardEncoder: encoder.init(seeds.backwardEncoder),
        initialState: draw(seeds.initialState, [F, F / 2]),
        decoder: decoder.init(seeds.decoder),
        attention: attention.init(seeds.attention),
        combine: draw(seeds.combine, [F, 2 * F]),
        output: { ...draw(seeds.output, [V, F]), bias: zeros([V]) },
      };
    },
    encode(params, source, lengths) {
      const x = embedding(params.sourceEmbedding.weight, source); // [B, S, C]
      const options = lengths && { lengths };
      const forwards = encoder.apply(params.forwardEncoder, x, options);
      const backwards = encoder.apply(params.backwardEncoder, x, { ...options, reverse: true });
      return {
        annotations: concat([forwards.output, backwards.output], 2),
        state: tanh(linear(backwards.state, params.initialState.weight, params.initialState.bias)),
        lengths,
      };
    },
    apply(params, encoded, target, { trace } = {}) {
      const tokens = embedding(params.targetEmbedding.weight, target); // [B, T, C]
      const { annotations, lengths } = encoded;
      const mask = lengths && { mask: padding(lengths) };
      const alignments: Tensor[] = [];
      const attend: Attend = (query) => {
        const tensors: Record<string, Tensor> = {};
        const attentionTrace = trace && { trace: { names: ["weights"] as const, tensors } };
        const context = attention.apply(params.attention, query, annotations, annotations, {
          ...mask,
          ...attentionTrace,
        });
        if (tensors["weights"]) alignments.push(tensors["weights"]);
        return context;
      };
      const attendAfterUpdate = () => {
        const states = decoder.apply(params.decoder, tokens, { state: encoded.state }).output;
        return { states, contexts: attend(states) };
      };
      const { states, contexts } =
        queryState === "previous" ? attendBeforeUpdate(params, encoded, tokens, attend) : attendAfterUpdate();
      if (trace) trace.tensors[trace.path ? `${trace.path}.weights` : "weights"] = concat(alignments, 2);
      const { combine, output } = params;
      const combined = tanh(linear(concat([contexts, states], 2), combine.weight, combine.bias));
      return linear(combined, output.weight, output.bias);
    },
    greedyDecode(params, encoded, { startId, length }) {
      const B = encoded.state.shape[0]!;
      const { device } = encoded.state;
      const rows = Array.from({ length: B }, () => [startId]);
      for (let n = 0; n < length; n++) {
        const target = tensor(rows, { dtype: "int32", device });
        const logits = model.apply(params, encoded, target); // [B, n + 1, V]
        const next = argmax(slice(logits, 1, n, n + 1), { axis: 2 }).data;
        rows.forEach((row, b) => row.push(Number(next[b])));
      }
      return rows.map((row) => row.slice(1));
    },
  };
  return model;
}

/** Attends to the annotations: queries `[B, T, F]` to contexts `[B, T, F]`. */
type Attend = (query: Tensor) => Tensor;

const check: Checks = /* @__PURE__ */ checks("recurrentTranslator");
