import type { BoundMask, KeyValues, Op, Range, Spec, TraceName, View } from "@qkv/tensor";
import { broadcastStrides } from "@qkv/tensor";

/** What one call of attention is, besides its tensors. Inputs: query, the key parts, the value parts, then a bias. */
export type AttentionAttributes = {
  /** Number of key parts, and of value parts. */
  readonly parts: number;
  readonly positions: KeyValues["positions"];
  /** Position of the first query. */
  readonly firstQuery: number;
  readonly mask: BoundMask | undefined;
  readonly scale: number;
  readonly softcap: number;
  readonly hasBias: boolean;
  readonly want: readonly TraceName[];
};

/**
 * Attention, plainly: the specification that every faster version is tested against. One row of scores at a time,
 * so no `[T, S]` is held unless a trace asks for it.
 *
 * For query i and key j of a head:
 *   s = softcap(scale · qᵢ·kⱼ) + bias;  masked keys are left out, neither their key nor their value is used;
 *   w = exp(s − m) / Σ exp(s − m);  output = Σ w vⱼ;  lse = m + log Σ exp(s − m).
 * A row that sees no key gives zeros, and lse −∞.
 */
export const attentionOp: Op<AttentionAttributes> = {
  name: "attention",
  infer(inputs, { parts, want }) {
    const [B, H, T] = inputs[0]!.shape as [number, number, number, number];
    const dtype = inputs[0]!.dtype;
    const S = inputs.slice(1, 1 + parts).reduce((sum, key) => sum + key.shape[2]!, 0);
    const Dv = inputs[1 + parts]!.shape[3]!;
    const traced = want.map((name): Spec => ({ shape: name === "lse" ? [B, H, T] : [B, H, T, S], dtype }));
    return [{ shape: [B, H, T, Dv], dtype }, ...traced];
  },
  kernel(inputs, outputs, attributes) {
    const { parts, positions, firstQuery, mask, scale, softcap, hasBias, want } = attributes;
    const query = inputs[0]!;
    const keys = inputs.slice(1, 1 + parts);
    const values = inputs.slice(1 + parts, 1 + 2 * parts);
    const [output, ...traces] = outputs;
    const [B, H, T, D] = query.shape as [number, number, number, number];
    const S = keys.reduce((sum, key) => sum + key.shape[2]!, 0);
    const Dv = values[0]!.shape[3]!;
    const group = H / keys[0]!.shape[1]!;
    const bias = hasBias ? biasReader(inputs.at(-1)!, [B, H, T, S]) : undefined;
    const row = new Row(S);
    const sum = new Float64Array(Dv);

    for (let b = 0; b < B; b++) {
      row.place(positions, b);
      for (let h = 0; h < H; h++) {
        const kvHead = Math.floor(h / group);
        for (let t = 0; t < T; t++) {
          row.see(mask, firstQuery + t, b, h);
          dotRow(
            row,
            query,
            keys,
            b,
            h,
            kvHead,
            t,
            D,
            scale,
            want.includes("dots") || want.includes("capped"),
          );
          if (softcap > 0)
            for (let s = 0; s < S; s++) row.capped[s] = softcap * Math.tanh(row.dots[s]! / softcap);
          else row.capped.set(row.dots);
          for (let s = 0; s < S; s++) {
            const added = !row.visible[s] ? -Infinity : bias ? bias(b, h, t, s) : 0;
            // −∞ is chosen, not added: what a hidden key holds, NaN too, must not reach the output.
            row.scores[s] = added === -Infinity ? added : row.capped[s]! + added;
          }
          softmaxRow(row);
          mixValues(sum, row, values, b, kvHead);
          const at = ((b * H + h) * T + t) * Dv;
          for (let d = 0; d < Dv; d++) output!.array[at + d] = sum[d]!;
          want.forEach((name, i) => {
            const place = (b * H + h) * T + t;
            if (name === "lse") traces[i]!.array[place] = row.lse;
            else traces[i]!.array.set(row[name], place * S);
          });
        }
      }
    }
  },
};

/** What one query computes on its way over all keys. */
class Row {
  readonly position: Int32Array;
  readonly visible: Uint8Array;
  readonly dots: Float64Array;
  readonly capped: Float64Array;
  readonly scores: Float64Array;
  readonly weights: Float64Array;
  keys: Range = { first: 0, last: 0 };
  lse = -Infinity;

  constructor(readonly length: number) {
    this.position = new Int32Array(length);
    this.visible = new Uint8Array(length);
    this.dots = new Float64Array(length);
    this.capped = new Float64Array(length);
    this.scores = new Float64Array(length);
    this.weights = new Float64Array(length);
  }

  place(positions: KeyValues["positions"], batch: number): void {
    const start = "start" in positions ? positions.start : 0;
    const given = "start" in positions ? undefined : positions;
    const shift = given && given.length > this.length ? batch * this.length : 0;
    for (let s = 0; s < this.length; s++) this.position[s] = given ? given[shift + s]! : start + s;
    this.keys = {
      first: this.position.reduce((a, b) => Math.min(a, b), Infinity),
      last: this.position.reduce((a, b) => Math.max(a, b), -Infinity),
    };
  }

  see(mask: BoundMask | undefined, query: number, batch: number, head: number): void {
    if (this.length === 0) return;
    const { position, visible, length } = this;
    const whole = mask ? mask.tile({ first: query, last: query }, this.keys, batch, head) : "all";
    if (whole !== "some") visible.fill(whole === "all" ? 1 : 0);
    else for (let s = 0; s < length; s++) visible[s] = mask!.sees(query, position[s]!, batch, head) ? 1 : 0;
  }
}

/** dots[s] = scale · Σ_d query[d] · key[s][d]; keys that are masked are left out unless a trace shows them. */
function dotRow(
  row: Row,
  query: View,
  keys: readonly View[],
  b: number,
  h: number,
  kvHead: number,
  t: number,
  D: number,
  scale: number,
  all: boolean,
): void {
  const [qb, qh, qt, qd] = query.strides as [number, number, number, number];
  const q = query.array;
  const i = query.offset + b * qb + h * qh + t * qt;
  let s = 0;
  for (const { array: k, shape, strides, offset } of keys) {
    const [kb, kh, ks, kd] = strides as [number, number, number, number];
    let j = offset + b * kb + kvHead * kh;
    for (let n = 0; n < shape[2]!; n++, s++, j += ks) {
      let dot = 0;
      if (all || row.visible[s]) for (let d = 0; d < D; d++) dot += q[i + d * qd]! * k[j + d * kd]!;
      row.dots[s] = dot * scale;
    }
  }
}

function softmaxRow(row: Row): void {
  const { scores, weights, length } = row;
  let largest = -Infinity;
  for (let s = 0; s < length; s++) if (scores[s]! > largest || Number.isNaN(scores[s])) largest = scores[s]!;
  if (largest === -Infinity) {
    weights.fill(0);
    row.lse = -Infinity;
    return;
  }
  let total = 0;
  for (let s = 0; s < length; s++) {
    weights[s] = Math.exp(scores[s]! - largest);
    total += weights[s]!;
  }
  for (let s = 0; s < length; s++) weights[s]! /= total;
  row.lse = largest + Math.log(total);
}

/** sum = Σ_s weights[s] · value[s], over the keys that are seen. */
function mixValues(sum: Float64Array, row: Row, values: readonly View[], b: number, kvHead: number): void {
  sum.fill(0);
  let s = 0;
  for (const { array: v, shape, strides, offset } of values) {
    const [vb, vh, vs, vd] = strides as [number, number, number, number];
    let j = offset + b * vb + kvHead * vh;
    for (let n = 0; n < shape[2]!; n++, s++, j += vs) {
      // 0 · NaN must not reach the output either.
      if (row.scores[s] === -Infinity) continue;
      const weight = row.weights[s]!;
      for (let d = 0; d < sum.length; d++) sum[d]! += weight * v[j + d * vd]!;
    }
  }
}

function biasReader(bias: View, shape: readonly number[]) {
  const [b0, b1, b2, b3] = broadcastStrides(shape, bias.shape, bias.strides) as [
    number,
    number,
    number,
    number,
  ];
  return (b: number, h: number, t: number, s: number) =>
    bias.array[bias.offset + b * b0 + h * b1 + t * b2 + s * b3]!;
}
