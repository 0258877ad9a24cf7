import { sizeOf } from "@qkv/core";
import type { AttentionRequest, TraceName, View } from "@qkv/tensor";
import type { Expr, Expression } from "@qkv/tensor/expressions";
import { firstQueryOf, keyPositions, sizesOf, sortInputs } from "@qkv/tensor/key-values";
import { seenKeys } from "@qkv/tensor/tile-plan";
import { isShaderText } from "../webgl2/expression-text.js";
import { softmaxParts } from "./kernels.js";
import { inOrder, type Wasm } from "./numbers-of.js";
import type { Run } from "./scalars.js";

type Request = AttentionRequest & { readonly want: readonly TraceName[] };

/** Stands for a masked score. */
const hidden = -3.0e38;

/** Attention in five kernels of one number a thread. All scores are held. */
export function attentionKernel(wasm: Wasm) {
  return (given: readonly View[], outputs: readonly View[], request: Request): boolean => {
    const inputs = sortInputs(given, request);
    const { B, H, Hkv, T, S, D, Dv, group } = sizesOf(inputs);
    const { scoreMod, weightMod, layouts, plan, scale, softcap, want } = request;
    const takes =
      !layouts &&
      inputs.keys.length === 1 &&
      given.every(({ dtype }) => dtype === "float32") &&
      [scoreMod, weightMod].every((mod) => !mod || isShaderText(mod)) &&
      B * H * T * S * D * Dv > 0;
    if (!takes) return false;
    const [output, lse, ...traces] = outputs as [View, View, ...View[]];
    const { scalars, store } = wasm;
    const put = (view: View, numbers: Float32Array) => store.put(view, scalars.upload(numbers));
    const rows = B * H * T;
    const constants = { D, Dv, S, T, H, Hkv, group, scale, softcap };
    const grid = (x: number): Run["output"] => [x, T, B * H];

    const dots = scalars.run({
      name: "dots",
      source: `function dots(query, key) {
  const b = Math.floor(this.thread.z / this.constants.H);
  const g = Math.floor((this.thread.z - b * this.constants.H) / this.constants.group);
  const q = (this.thread.z * this.constants.T + this.thread.y) * this.constants.D;
  const k = ((b * this.constants.Hkv + g) * this.constants.S + this.thread.x) * this.constants.D;
  let sum = 0;
  for (let d = 0; d < this.constants.D; d++) {
    sum += query[q + d] * key[k + d];
  }
  return sum * this.constants.scale;
}`,
      constants,
      inputs: [inOrder(wasm, inputs.query), inOrder(wasm, inputs.keys[0]!)],
      output: grid(S),
    });
    const capped =
      softcap > 0
        ? scalars.run({
            name: "cap",
            source: `function cap(x) {
  return this.constants.softcap * Math.tanh(x[this.thread.x] / this.constants.softcap);
}`,
            constants,
            inputs: [dots],
            output: [dots.length, 1, 1],
          })
        : dots;
    const modify = (name: string, mod: Expression, x: Float32Array, views: readonly View[]) =>
      scalars.run({
        name,
        source: modSource(name, mod, views),
        constants,
        inputs: [x, ...places(request, B, T, S), ...tables(wasm, views)],
        output: grid(S),
      });
    const scoreTables = scoreMod?.tables.length ?? 0;
    const modified = scoreMod
      ? modify("scoreMod", scoreMod, capped, inputs.tables.slice(0, scoreTables))
      : capped;
    const seen = new Uint8Array(rows * S);
    for (let row = 0; row < rows; row++) {
      const [b, h, t] = [Math.floor(row / (H * T)), Math.floor(row / T) % H, row % T];
      for (let column = 0; column < plan.columns; column++) {
        const start = column * plan.keyTile;
        const end = Math.min(S, start + plan.keyTile);
        seenKeys(plan, b, h, t, column, seen.subarray(row * S + start, row * S + end));
      }
    }
    const scores = modified.map((x, n) => (seen[n] && !(x <= hidden) ? x : hidden));
    const [top, total] = softmaxParts(wasm, scores, rows, S);
    const sums = new Float32Array(rows);
    for (let row = 0; row < rows; row++) {
      const nothing = top[row]! <= hidden;
      if (nothing) total[row] = 0;
      if (inputs.sinks) {
        const { array, offset, strides } = inputs.sinks;
        const sink = array[offset + (Math.floor(row / T) % H) * strides[0]!]!;
        const higher = Math.max(nothing ? -Infinity : top[row]!, sink);
        const own = nothing ? 0 : total[row]! * Math.exp(top[row]! - higher);
        total[row] = own + Math.exp(sink - higher);
        top[row] = higher;
      }
      sums[row] = total[row] === 0 ? -Infinity : top[row]! + Math.log(total[row]!);
      if (total[row] === 0) total[row] = 1;
    }
    const weights = scalars.run({
      name: "weights",
      source: `function weights(x, top, total) {
  const row = this.thread.z * this.constants.T + this.thread.y;
  const score = x[row * this.constants.S + this.thread.x];
  if (score <= -3.0e38) {
    return 0;
  }
  return Math.exp(score - top[row]) / total[row];
}`,
      constants,
      inputs: [scores, top, total],
      output: grid(S),
    });
    const mixed = weightMod
      ? modify("weightMod", weightMod, weights, inputs.tables.slice(scoreTables)).map((x, n) =>
          scores[n]! <= hidden ? 0 : x,
        )
      : weights;
    const mixture = scalars.run({
      name: "mixture",
      source: `function mixture(weights, value) {
  const b = Math.floor(this.thread.z / this.constants.H);
  const g = Math.floor((this.thread.z - b * this.constants.H) / this.constants.group);
  const row = (this.thread.z * this.constants.T + this.thread.y) * this.constants.S;
  const v = (b * this.constants.Hkv + g) * this.constants.S * this.constants.Dv + this.thread.x;
  let sum = 0;
  for (let s = 0; s < this.constants.S; s++) {
    const w = weights[row + s];
    if (w !== 0) {
      sum += w * value[v + s * this.constants.Dv];
    }
  }
  return sum;
}`,
      constants,
      inputs: [mixed, inOrder(wasm, inputs.values[0]!)],
      output: grid(Dv),
    });
    put(output, mixture);
    put(lse, sums);
    const shown = { dots, capped, weights, scores: scores.map((x) => (x <= hidden ? -Infinity : x)) };
    want.forEach((name, i) => put(traces[i]!, shown[name as keyof typeof shown].slice()));
    return true;
  };
}

/** Where queries [B · T] and keys [B · S] stand. */
function places({ firstQuery, positions }: Request, B: number, T: number, S: number): Float32Array[] {
  const keys = keyPositions(positions, S);
  return [
    Float32Array.from({ length: B * T }, (_, n) => firstQueryOf(firstQuery, Math.floor(n / T)) + (n % T)),
    Float32Array.from({ length: B * S }, (_, n) => keys[keys.length > 1 ? Math.floor(n / S) : 0]![n % S]!),
  ];
}

function tables(wasm: Wasm, views: readonly View[]): Float32Array[] {
  return views.map((view) => (sizeOf(view.shape) === 0 ? new Float32Array(1) : inOrder(wasm, view)));
}

const unary: Record<string, (x: string) => string> = {
  neg: (x) => `-${x}`,
  not: (x) => `(${x} === 0 ? 1 : 0)`,
};
const binary: Record<string, (a: string, b: string) => string> = {
  add: (a, b) => `${a} + ${b}`,
  sub: (a, b) => `${a} - ${b}`,
  mul: (a, b) => `${a} * ${b}`,
  div: (a, b) => `${a} / ${b}`,
  less: (a, b) => `(${a} < ${b} ? 1 : 0)`,
  lessEqual: (a, b) => `(${a} <= ${b} ? 1 : 0)`,
  greater: (a, b) => `(${a} > ${b} ? 1 : 0)`,
  greaterEqual: (a, b) => `(${a} >= ${b} ? 1 : 0)`,
  equal: (a, b) => `(${a} === ${b} ? 1 : 0)`,
  and: (a, b) => `(${a} !== 0 && ${b} !== 0 ? 1 : 0)`,
  or: (a, b) => `(${a} !== 0 || ${b} !== 0 ? 1 : 0)`,
};

/** A kernel of a recorded expression over all scores. */
function modSource(name: string, { steps, tables }: Expression, views: readonly View[]): string {
  const names = new Map<Expr, string>(steps.map((expr, i) => [expr, `e${i}`]));
  const of = (expr: Expr) => names.get(expr)!;
  const lines = steps.map((expr) => {
    const { step } = expr;
    const value = (): string => {
      switch (step.kind) {
        case "symbol":
          return step.name;
        case "number":
          return number(step.value);
        case "unary":
          return (unary[step.name] ?? ((x: string) => `Math.${step.name}(${x})`))(of(step.x));
        case "binary":
          return (binary[step.name] ?? ((a: string, b: string) => `Math.${step.name}(${a}, ${b})`))(
            of(step.a),
            of(step.b),
          );
        case "where":
          return `(${of(step.condition)} !== 0 ? ${of(step.a)} : ${of(step.b)})`;
        case "lookup": {
          const table = tables.indexOf(step.table);
          const { shape } = views[table]!;
          const places = step.indices.map((index, axis) => {
            const last = Math.max(0, shape[axis]! - 1);
            return `Math.min(${last}, Math.max(0, Math.floor(${of(index)}))) * ${sizeOf(shape.slice(axis + 1))}`;
          });
          return `table${table}[${["0", ...places].join(" + ")}]`;
        }
        default:
          return "0";
      }
    };
    return `const ${of(expr)} = ${value()};`;
  });
  const params = ["x", "queries", "keys", ...views.map((_, i) => `table${i}`)];
  return `function ${name}(${params.join(", ")}) {
  const score = x[(this.thread.z * this.constants.T + this.thread.y) * this.constants.S + this.thread.x];
  const batch = Math.floor(this.thread.z / this.constants.H);
  const head = this.thread.z - batch * this.constants.H;
  const query = queries[batch * this.constants.T + this.thread.y];
  const key = keys[batch * this.constants.S + this.thread.x];
  ${lines.join("\n  ")}
  return e${steps.length - 1};
}`;
}

/** Infinities and NaN have no literals that gpu.js takes. */
function number(value: number): string {
  if (Number.isNaN(value)) return "Math.sqrt(-1)";
  if (!Number.isFinite(value)) return value > 0 ? "(-Math.log(0))" : "Math.log(0)";
  return value < 0 ? `(${value})` : String(value);
}
