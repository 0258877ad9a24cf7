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
  tanh,
  zeros,
  argmax,
  tensor,
  type Tensor,
} from "@qkv/tensor";
import { gru, type GruParams } from "../layers/gru.js";

/** How the writer asks: `additive(…)`, `luongGeneral(…)` or `luongConcat(…)`, with query and key as wide as hiddenDim. */
export type RowAttention<P> = {
  init(seed: number): P;
  /** Query `[B, T, F]`, key and value `[B, S, F]` to `[B, T, F]`. */
  apply(params: P, query: Tensor, key: Tensor, value: Tensor, options?: RowsOptions): Tensor;
};

/** What a translator is. */
export type RecurrentTranslatorConfig<P> = {
  /** V, of the source and of what is written. */
  vocabSize: number;
  /** C, the width of token embeddings. */
  embedDim: number;
  /** F, the width of the writer's state and of annotations, half of it for each direction of reading. Even. */
  hiddenDim: number;
  attention: RowAttention<P>;
  /**
   * When the writer looks. `before` it writes a token, asking with the state it had (Bahdanau), or `after` its state has
   * taken in the token before, asking with the new one (Luong).
   */
  asks: "before" | "after";
};

/** The weights of a translator. */
export type RecurrentTranslatorParams<P> = {
  /** `[V, C]` */
  source: { weight: Tensor };
  /** `[V, C]` */
  written: { weight: Tensor };
  forwards: GruParams;
  backwards: GruParams;
  /** `[F, F / 2]`: from what was read backwards to the writer's first state. */
  first: LinearParams;
  writer: GruParams;
  attention: P;
  /** `[F, 2 · F]`: state and context together. */
  joined: LinearParams;
  /** `[V, F]` */
  output: LinearParams;
};

/** What was read: one annotation for each token, `[B, S, F]`, and the writer's first state, `[B, F]`. */
export type Annotations = { annotations: Tensor; state: Tensor; lengths: readonly number[] | undefined };

/** A translator: made from its configuration, holding no weights. */
export type RecurrentTranslator<P> = {
  readonly config: RecurrentTranslatorConfig<P>;
  /** Random weights. */
  init(seed: number): RecurrentTranslatorParams<P>;
  /** Reads token ids, int32 `[B, S]`. `lengths`: of each source, where some are filled up. Unit: tokens. */
  read(params: RecurrentTranslatorParams<P>, source: Tensor, lengths?: readonly number[]): Annotations;
  /**
   * Logits `[B, T, V]` of each next token, from what was read and what is written so far, int32 `[B, T]`, the start token
   * first. A trace of `weights` is the alignment, `[B, 1, T, S]`.
   */
  apply(
    params: RecurrentTranslatorParams<P>,
    read: Annotations,
    written: Tensor,
    options?: Pick<RowsOptions, "trace">,
  ): Tensor;
  /** Writes the likeliest token, `length` times for each source: ids, B lists, the start token left out. */
  write(
    params: RecurrentTranslatorParams<P>,
    read: Annotations,
    options: { startId: number; length: number },
  ): number[][];
};

/**
 * A recurrent encoder-decoder with attention, from before transformers: a gated recurrent unit reads the source in both
 * directions, another writes, and attention tells the writer where to look. The query is the writer's state; keys and
 * values are the same annotations of the source.
 *
 * @throws {ArgumentError} If `hiddenDim` is odd or `asks` is neither of the two.
 * @see "Neural Machine Translation by Jointly Learning to Align and Translate" (2014), arXiv:1409.0473; "Effective
 *   Approaches to Attention-based Neural Machine Translation" (2015), arXiv:1508.04025. Both read out by deeper layers
 *   than the one `tanh` here.
 *
 * @example
 * ```ts
 * import { additive } from "@qkv/attention";
 * import { tensor } from "@qkv/tensor";
 * import { recurrentTranslator } from "@qkv/transformer";
 *
 * const attention = additive({ queryDim: 8, keyDim: 8, hiddenDim: 8 });
 * const model = recurrentTranslator({ vocabSize: 11, embedDim: 4, hiddenDim: 8, attention, asks: "before" });
 * const params = model.init(1);
 * const read = model.read(params, tensor([[3, 1, 4, 1]], { dtype: "int32" }));
 * model.apply(params, read, tensor([[0, 5]], { dtype: "int32" })).shape; // => [1, 2, 11]
 * model.write(params, read, { startId: 0, length: 3 })[0].length; // => 3
 * ```
 */
export function recurrentTranslator<P>(config: RecurrentTranslatorConfig<P>): RecurrentTranslator<P> {
  const names = ["vocabSize", "embedDim", "hiddenDim", "attention", "asks"] as const;
  const { vocabSize: V, embedDim: C, hiddenDim: F, attention, asks } = check.options(config, names, "config");
  check.whole({ vocabSize: V, embedDim: C }, { min: 1 });
  const isEven = (value: unknown) => Number.isInteger((value as number) / 2) && (value as number) >= 2;
  const halves = "each direction of reading gives half of an annotation.";
  check.each({ hiddenDim: F }, isEven, "an even whole number, 2 or more", halves);
  const isAttention = (value: unknown) =>
    typeof (value as RowAttention<P> | null | undefined)?.apply === "function";
  check.each({ attention }, isAttention, "attention of rows, as `additive(…)`", "write `additive({ … })`.");
  check.oneOf({ asks }, ["before", "after"], '"before" is Bahdanau\'s order, "after" Luong\'s.');
  const reader = gru({ embedDim: C, hiddenDim: F / 2 });
  const writer = gru({ embedDim: asks === "before" ? C + F : C, hiddenDim: F });

  /** Bahdanau: context of the state before, then the state. Both `[B, T, F]`. */
  function askBefore(params: RecurrentTranslatorParams<P>, read: Annotations, tokens: Tensor, look: Look) {
    const [B, T] = tokens.shape as [number, number];
    let { state } = read;
    const [states, contexts]: [Tensor[], Tensor[]] = [[], []];
    for (let t = 0; t < T; t++) {
      const context = look(reshape(state, [B, 1, F]));
      const x = concat([slice(tokens, 1, t, t + 1), context], 2);
      state = writer.apply(params.writer, x, { state }).state;
      contexts.push(context);
      states.push(reshape(state, [B, 1, F]));
    }
    return { states: concat(states, 1), contexts: concat(contexts, 1) };
  }

  const model: RecurrentTranslator<P> = {
    config,
    init(seed) {
      const draw = (n: number, shape: [number, number], size = 1 / Math.sqrt(shape[1])) => ({
        weight: mul(randn(shape, { seed: seed * 12 + n }), size),
      });
      return {
        source: draw(0, [V, C], 1),
        written: draw(1, [V, C], 1),
        forwards: reader.init(seed * 12 + 2),
        backwards: reader.init(seed * 12 + 3),
        first: draw(4, [F, F / 2]),
        writer: writer.init(seed * 12 + 5),
        attention: attention.init(seed * 12 + 6),
        joined: draw(7, [F, 2 * F]),
        output: { ...draw(8, [V, F]), bias: zeros([V]) },
      };
    },
    read(params, source, lengths) {
      const x = embedding(params.source.weight, source); // [B, S, C]
      const options = lengths && { lengths };
      const forwards = reader.apply(params.forwards, x, options);
      const backwards = reader.apply(params.backwards, x, { ...options, reverse: true });
      return {
        annotations: concat([forwards.output, backwards.output], 2),
        state: tanh(linear(backwards.state, params.first.weight, params.first.bias)),
        lengths,
      };
    },
    apply(params, read, written, { trace } = {}) {
      const tokens = embedding(params.written.weight, written); // [B, T, C]
      const { annotations, lengths } = read;
      const mask = lengths && { mask: padding(lengths) };
      const maps: Tensor[] = [];
      const look: Look = (query) => {
        const tensors: Record<string, Tensor> = {};
        const own = trace && { trace: { names: ["weights"] as const, tensors } };
        const context = attention.apply(params.attention, query, annotations, annotations, {
          ...mask,
          ...own,
        });
        if (tensors["weights"]) maps.push(tensors["weights"]);
        return context;
      };
      const after = () => {
        const states = writer.apply(params.writer, tokens, { state: read.state }).output;
        return { states, contexts: look(states) };
      };
      const { states, contexts } = asks === "before" ? askBefore(params, read, tokens, look) : after();
      if (trace) trace.tensors[trace.path ? `${trace.path}.weights` : "weights"] = concat(maps, 2);
      const { joined, output } = params;
      const both = tanh(linear(concat([contexts, states], 2), joined.weight, joined.bias));
      return linear(both, output.weight, output.bias);
    },
    write(params, read, { startId, length }) {
      const B = read.state.shape[0]!;
      const { device } = read.state;
      const rows = Array.from({ length: B }, () => [startId]);
      for (let n = 0; n < length; n++) {
        const written = tensor(rows, { dtype: "int32", device });
        const logits = model.apply(params, read, written); // [B, n + 1, V]
        const next = argmax(slice(logits, 1, n, n + 1), { axis: 2 }).data;
        rows.forEach((row, b) => row.push(Number(next[b])));
      }
      return rows.map((row) => row.slice(1));
    },
  };
  return model;
}

/** Where the writer looks: queries `[B, T, F]` to contexts `[B, T, F]`. */
type Look = (query: Tensor) => Tensor;

const check: Checks = /* @__PURE__ */ checks("recurrentTranslator");
