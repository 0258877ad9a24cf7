import { sizeOf } from "@qkv/core";
import {
  callSizes,
  callTensors,
  differByHead,
  firstQueryPosition,
  assertExhaustive,
  isPaged,
  keyPositions,
  type AttentionCall,
  type AttentionKernels,
  type AttentionOutputs,
  type Expression,
  type TilePlan,
} from "@qkv/attention-contract";
import type { View } from "@qkv/tensor";
import type { Buffer } from "../engine.js";
import { isShaderText } from "../webgl2/expression-text.js";
import { expressionText } from "./expression-text.js";
import { divideText, factorText } from "./offset-text.js";
import { runInto, withScratch, type RegisterScratch, type Run, type Scalar } from "./run.js";

/** Registers a scratch buffer, which is freed after the call. */
/** A masked score: some adapters have no infinities. */
const maskedScore = "-3.0e38";

/** Input buffers that every adapter allows in one kernel. */
const maxInputs = 7;

/** Attention in kernels that compute one number per thread. All scores are stored. */
export function attentionKernel<B extends Buffer>(scalar: Scalar<B>): AttentionKernels["attention"] {
  return (call, outputs) => {
    const sizes = callSizes(call);
    const { keyValues, scoreMod, weightMod, plan } = call;
    const isSupported =
      ![...keyValues.key, ...keyValues.value].some(isPaged) &&
      callTensors(call).every(({ dtype }) => dtype === "float32") &&
      !((scoreMod || weightMod) && differByHead(keyValues.positions, sizes.B, sizes.S)) &&
      [scoreMod, weightMod].every(
        (mod) => !mod || (isShaderText(mod) && mod.tables.length <= maxInputs - 4),
      ) &&
      plan.keyTile === 64 &&
      keyValues.key.length < maxInputs &&
      sizes.B * sizes.H * sizes.T * sizes.S * sizes.D * sizes.Dv > 0;
    if (!isSupported) return false;
    return withScratch(scalar, (asScratch) => attend(scalar, call, sizes, outputs, asScratch));
  };
}

function attend<B extends Buffer>(
  scalar: Scalar<B>,
  call: AttentionCall,
  { B, H, T, S, D, Dv, group }: ReturnType<typeof callSizes>,
  { output, lse, ...traces }: AttentionOutputs,
  asScratch: RegisterScratch<B>,
): boolean {
  const { engine, store } = scalar;
  const {
    query: queryView,
    keyValues,
    firstQuery,
    scale,
    softcap = 0,
    sinks,
    plan,
    scoreMod,
    weightMod,
    traces: _, // the requested traces are the properties of the outputs
    ...rest
  } = call;
  assertExhaustive(rest);
  const upload = (numbers: Float32Array) => asScratch(engine.upload(numbers));
  const rows = B * H * T;
  // Length of a row of scores: S, rounded up to a power of two if it may grow from call to call (decoding), so that few
  // kernels are compiled.
  const rowLength = S === T ? S : 2 ** Math.ceil(Math.log2(Math.max(64, S)));
  const length = { keyCount: S };
  const run = (kernel: Omit<Run<B>, "length">, length = rows * rowLength) =>
    asScratch(engine.run({ ...kernel, length }));
  const query = rowsOf(scalar, [queryView], T, asScratch);
  const keys = rowsOf(scalar, keyValues.key as readonly View[], rowLength, asScratch);
  const values = rowsOf(scalar, keyValues.value as readonly View[], rowLength, asScratch);
  // gpu.js has no literals for these numbers.
  const special = upload(Float32Array.of(-Infinity, Infinity, NaN));

  /** Computes from `row` the batch `b`, head `h`, key-value head `g` and query `t`. */
  const rowText = `${divideText("bh", "row", T)}
  const t = row - bh * ${T};
  ${divideText("b", "bh", H)}
  const h = bh - b * ${H};
  ${divideText("g", "h", group)}`;
  /** Computes from `n` the row and the key `s`, and the indices of the row. */
  const scoreText = (outside: string) => `${divideText("row", "n", rowLength)}
  const s = n - row * ${rowLength};
  if (s >= keyCount) { return ${outside}; }
  ${rowText}`;

  const dots = run({
    name: "dots",
    body: `${scoreText(maskedScore)}
  const q = queryStart + b * ${query.batch} + h * ${query.head} + t * ${query.row};
  const k = keyStart + b * ${keys.batch} + g * ${keys.head} + s * ${keys.row};
  let sum = 0;
  for (let d = 0; d < this.constants.D; d++) {
    sum += query[q + d * ${query.column}] * key[k + d * ${keys.column}];
  }
  return sum * this.constants.scale;`,
    inputs: { query: query.buffer, key: keys.buffer },
    ints: { ...length, queryStart: query.at, keyStart: keys.at },
    constants: { D, scale },
  });
  const capped =
    softcap > 0
      ? run({
          name: "cap",
          body: `const x = Math.max(-20, Math.min(20, dots[n] / this.constants.softcap));
  return this.constants.softcap * Math.tanh(x);`,
          inputs: { dots },
          constants: { softcap },
        })
      : dots;

  const positionBuffers =
    scoreMod || weightMod
      ? {
          queries: upload(queryPositionData(firstQuery, B, T)),
          keys: upload(keyPositionData(keyValues.positions, B, S)),
        }
      : undefined;
  const modify = (name: string, mod: Expression, x: B) => {
    const views = mod.tables;
    const tables = views.map((view) => (sizeOf(view.shape) === 0 ? special : store.bufferOf(view)));
    return run({
      name,
      body: `${scoreText("0")}
  const score = x[n];
  const batch = b;
  const head = h;
  const query = queries[b * ${T} + t];
  const key = keys[b * keyCount + s];
  ${expressionText(mod)}`,
      inputs: {
        x,
        ...positionBuffers!,
        special,
        ...Object.fromEntries(tables.map((table, i) => [`table${i}`, table])),
      },
      ints: {
        ...length,
        ...Object.fromEntries(views.map(({ offset }, i) => [`table${i}Start`, offset])),
      },
    });
  };
  const modified = scoreMod ? modify("scoreMod", scoreMod, capped) : capped;
  const masked = planBuffers(plan, upload);
  const scores = run({
    name: "mask",
    body: `${scoreText(maskedScore)}
  const x = scores[n];
  if (x <= ${maskedScore}) { return ${maskedScore}; }
  ${masked ? seenText(plan) : ""}
  return x;`,
    inputs: { scores: modified, ...masked },
    ints: { ...length, ...(masked && { columns: plan.columns }) },
  });

  const sink = sinks && {
    name: "sinks",
    buffer: store.bufferOf(sinks),
    at: sinks.offset,
    text: `${rowText}\n  const sink = sinks[sinksStart + h * ${factorText(sinks.strides[0]!)}];`,
  };
  const sinkInput = sink && { sinks: sink.buffer };
  const reduceRow = (name: string, begin: string, step: string, end: string, more: Record<string, B>) =>
    run(
      {
        name,
        body: `const row = n + 0;
  ${sink?.text ?? ""}
  ${begin}
  for (let s = 0; s < this.constants.rowLength; s++) {
    const x = scores[row * this.constants.rowLength + s];
    ${step}
  }
  ${end}`,
        inputs: { scores, ...more, ...sinkInput },
        ...(sink && { ints: { sinksStart: sink.at } }),
        constants: { rowLength },
      },
      rows,
    );
  const top = reduceRow(
    "top",
    `let most = ${maskedScore};`,
    "most = Math.max(most, x);",
    `return ${sink ? "Math.max(most, sink)" : "most"};`,
    {},
  );
  const total = reduceRow(
    "total",
    "let sum = 0;",
    `if (x > ${maskedScore}) { sum += Math.exp(x - top[row]); }`,
    `return sum${sink ? " + Math.exp(sink - top[row])" : ""};`,
    { top },
  );
  runInto(scalar, lse, {
    name: "lse",
    body: "if (total[n] === 0) { return special[0]; }\n  return top[n] + Math.log(total[n]);",
    inputs: { top, total, special },
  });
  const weights = run({
    name: "weights",
    body: `${divideText("row", "n", rowLength)}
  const x = scores[n];
  if (x <= ${maskedScore}) { return 0; }
  return Math.exp(x - top[row]) / total[row];`,
    inputs: { scores, top, total },
  });
  const finalWeights = weightMod
    ? run({
        name: "maskedWeights",
        body: `if (scores[n] <= ${maskedScore}) { return 0; }\n  return weights[n];`,
        inputs: {
          scores,
          weights: modify("weightMod", weightMod, weights),
        },
      })
    : weights;
  // Values of masked keys are not read: 0 · NaN would be NaN.
  runInto(scalar, output, {
    name: "output",
    body: `${divideText("row", "n", Dv)}
  const d = n - row * ${Dv};
  ${rowText}
  const v = valueStart + b * ${values.batch} + g * ${values.head} + d * ${values.column};
  let sum = 0;
  for (let s = 0; s < this.constants.rowLength; s++) {
    const w = weights[row * this.constants.rowLength + s];
    if (w !== 0) { sum += w * value[v + s * ${values.row}]; }
  }
  return sum;`,
    inputs: { weights: finalWeights, value: values.buffer },
    ints: { valueStart: values.at },
    constants: { rowLength },
  });
  const traceBuffers = { dots, capped, scores, weights };
  for (const [name, trace] of Object.entries(traces)) {
    runInto(scalar, trace, {
      name: "trace",
      body: `${divideText("row", "n", S)}
  const at = row * ${rowLength} + n - row * ${S};
  ${name === "scores" ? `if (x[at] <= ${maskedScore}) { return special[0]; }` : ""}
  return x[at];`,
      inputs: { x: traceBuffers[name as "dots"], ...(name === "scores" && { special }) },
    });
  }
  return true;
}

/** A tensor `[B, H, S, D]` in a buffer: its offset (`at`), and its strides as source text. */
type Rows<B> = {
  readonly buffer: B;
  readonly at: number;
  readonly batch: string;
  readonly head: string;
  readonly row: string;
  readonly column: string;
};

/** Rows of one part, read in place; several parts are concatenated into a buffer of `capacity` rows per head. */
function rowsOf<B extends Buffer>(
  { engine, store }: Scalar<B>,
  parts: readonly View[],
  capacity: number,
  asScratch: RegisterScratch<B>,
): Rows<B> {
  const [first] = parts as [View];
  if (parts.length === 1) {
    const [batch, head, row, column] = first.strides.map(factorText) as [string, string, string, string];
    return { buffer: store.bufferOf(first), at: first.offset, batch, head, row, column };
  }
  const [B, H, , D] = first.shape as [number, number, number, number];
  const ints: Record<string, number> = {};
  let end = 0;
  const branches = parts.map(({ shape, strides, offset }, p) => {
    const [batch, head, row, column] = strides.map(factorText) as [string, string, string, string];
    ints[`start${p}`] = offset;
    ints[`begin${p}`] = end;
    ints[`end${p}`] = end += shape[2]!;
    return `if (s < end${p}) {
    return part${p}[start${p} + b * ${batch} + h * ${head} + (s - begin${p}) * ${row} + d * ${column}];
  }`;
  });
  const buffer = asScratch(
    engine.run({
      name: "join",
      body: `${divideText("row", "n", D)}
  const d = n - row * ${D};
  ${divideText("bh", "row", capacity)}
  const s = row - bh * ${capacity};
  ${divideText("b", "bh", H)}
  const h = bh - b * ${H};
  ${branches.join("\n  ")}
  return 0;`,
      inputs: Object.fromEntries(parts.map((part, p) => [`part${p}`, store.bufferOf(part)])),
      ints,
      length: B * H * capacity * D,
    }),
  );
  const [batch, head, row] = [H * capacity * D, capacity * D, D].map(String) as [string, string, string];
  return { buffer, at: 0, batch, head, row, column: "1" };
}

/**
 * The tile plan as floats: for each tile −1 if all its keys are masked, −2 if none is, else the index of the mask bits of
 * its first query. Mask bits are stored 16 to a float. Undefined if nothing is masked.
 */
function planBuffers<B>({ classes, bitsAt, bits }: TilePlan, upload: (numbers: Float32Array) => B) {
  if (classes.every((tileClass) => tileClass === 2)) return undefined;
  const tiles = Float32Array.from(classes, (tileClass, tile) =>
    tileClass === 0 ? -1 : tileClass === 2 ? -2 : bitsAt[tile]! * 2,
  );
  const halves = new Float32Array(Math.max(1, bits.length * 2));
  for (let word = 0; word < bits.length; word++) {
    halves[2 * word] = bits[word]! & 0xffff;
    halves[2 * word + 1] = bits[word]! >>> 16;
  }
  return { tiles: upload(tiles), bits: upload(halves) };
}

/** Source that returns the masked score where query `t` does not see key `s`. */
const seenText = ({ batches, heads, rows, queryTile }: TilePlan) => `${divideText("tileRow", "t", queryTile)}
  const kind = tiles[((${batches === 1 ? "0" : "b"} * ${heads} + ${heads === 1 ? "0" : "h"}) * ${rows} + tileRow) * columns + (s >> 6)];
  if (kind === -1) { return ${maskedScore}; }
  if (kind >= 0) {
    const half = bits[kind + (t - tileRow * ${queryTile}) * 4 + ((s & 63) >> 4)];
    if (((half >> (s & 15)) & 1) === 0) { return ${maskedScore}; }
  }`;

/** Positions of queries, [B, T]. */
function queryPositionData(firstQuery: AttentionCall["firstQuery"], B: number, T: number): Float32Array {
  return Float32Array.from(
    { length: B * T },
    (_, n) => firstQueryPosition(firstQuery, Math.floor(n / T)) + (n % T),
  );
}

/** Positions of keys, [B, S]. */
function keyPositionData(
  positions: AttentionCall["keyValues"]["positions"],
  B: number,
  S: number,
): Float32Array {
  const keys = keyPositions(positions, S);
  return Float32Array.from(
    { length: B * S },
    (_, n) => keys[keys.length > 1 ? Math.floor(n / S) : 0]![n % S]!,
  );
}
