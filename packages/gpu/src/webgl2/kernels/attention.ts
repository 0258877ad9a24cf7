import { sizeOf } from "@qkv/core";
import {
  callSizes,
  callTensors,
  differByHead,
  assertExhaustive,
  isPaged,
  type AttentionCall,
  type AttentionKernels,
  type AttentionOutputs,
  type Expression,
  type TilePlan,
  type TraceName,
} from "@qkv/attention-contract";
import type { View } from "@qkv/tensor";
import { expressionText, isShaderText } from "../expression-text.js";
import { blockLayout, eachLine, rowsOfBlocks, type Blocks } from "../blocks.js";
import { dotRows, stayInRow, lineReaderText } from "../dot-rows.js";
import { runInto, withScratch, type Gl, type RegisterScratch } from "../gl.js";
import { float, maskedScore, powText, quotient, tanhText } from "../glsl.js";
import { computeByNumber } from "../numbers.js";
import type { Run, Texture } from "../shaders.js";
import { onlineSum } from "./lines.js";
import { packRows } from "./pack-rows.js";

type Sizes = ReturnType<typeof callSizes>;
/** Registers a scratch texture, which is freed after the call. */
/**
 * Attention in four shaders: scores, softmax statistics of each row, weights, and weights · values. WebGL has no shared
 * memory, so the scores are written to a texture and read again; a single fused shader would compute each score once
 * for each number of the output.
 */
export function attentionKernel(gl: Gl): AttentionKernels["attention"] {
  return (call, outputs) => {
    const sizes = callSizes(call);
    const { keyValues, scoreMod, weightMod, plan } = call;
    const isSupported =
      ![...keyValues.key, ...keyValues.value].some(isPaged) &&
      callTensors(call).every(({ dtype }) => dtype === "float32") &&
      !((scoreMod || weightMod) && differByHead(keyValues.positions, sizes.B, sizes.S)) &&
      [scoreMod, weightMod].every((mod) => !mod || isShaderText(mod)) &&
      plan.keyTile === 64 &&
      sizeOf(outputs.output.shape) > 0 &&
      sizes.S > 0 &&
      sizes.D > 0 &&
      keyValues.key.length <= 6;
    if (!isSupported) return false;
    return withScratch(gl, (asScratch) => attend(gl, call, sizes, outputs, asScratch));
  };
}

function attend(
  gl: Gl,
  request: AttentionCall,
  sizes: Sizes,
  { output, lse, ...traces }: AttentionOutputs,
  asScratch: RegisterScratch,
): boolean {
  const { B, Hkv, T, S, Dv, group } = sizes;
  const {
    query: queryView,
    keyValues,
    firstQuery,
    scale,
    softcap = 0,
    sinks,
    plan: givenPlan,
    scoreMod,
    weightMod,
    traces: _, // the requested traces are the properties of the outputs
    ...rest
  } = request;
  assertExhaustive(rest);
  // A group has the rows that share keys and values: all queries of `group` heads.
  const blocks = blockLayout(group * T);
  const count = B * Hkv * blocks.perGroup;
  // Texels of a row of scores: S / 4, rounded up to a power of two if S may grow from call to call (decoding), so that few
  // shaders are compiled.
  const rowTexels = S === T ? Math.ceil(S / 4) : 2 ** Math.ceil(Math.log2(Math.max(16, S / 4)));
  const query = packedRows(gl, [queryView], asScratch);
  const keys = packedRows(gl, keyValues.key as readonly View[], asScratch);
  const values = transposedRows(gl, keyValues.value as readonly View[], asScratch);
  const plan = planTextures(gl, givenPlan, asScratch);
  const positionInputs = positionTextures(gl, firstQuery, keyValues.positions, sizes, asScratch);
  const prepared: Prepared = {
    tiles: givenPlan,
    scale,
    softcap,
    scoreMod,
    sinks,
    masked: plan !== undefined || scoreMod !== undefined || weightMod !== undefined,
    sizes,
    query,
    keys,
    plan,
    positionInputs,
    rowTexels,
    blocks,
    count,
  };
  const runBlocks = (run: Run) => gl.shaders.runAll(run, blocks.height).map(asScratch);

  const scores = runBlocks(scoresRun(gl, prepared, "scores"));
  const statistics = runBlocks(statisticsRun(gl, prepared, scores));
  const weights = runBlocks(weightsRun(gl, prepared, scores, statistics, weightMod));

  const tracedBlocks = (name: TraceName): readonly Texture[] => {
    if (name === "scores") return scores;
    if (name !== "weights") return runBlocks(scoresRun(gl, prepared, name));
    // The traced weights are those before `weightMod`.
    return weightMod ? runBlocks(weightsRun(gl, prepared, scores, statistics, undefined)) : weights;
  };
  for (const [name, trace] of Object.entries(traces)) {
    const traced = tracedBlocks(name as TraceName);
    const value = name === "scores" ? `x <= ${maskedScore} ? ${float(-Infinity)} : x` : "x";
    const layout = { rowTexels, count: "keyCount", ints: { keyCount: S }, value };
    runInto(gl, trace, rowsOfBlocks(blocks, traced, layout));
  }
  // The first number of a row's statistics is its log-sum-exp.
  runInto(gl, lse, rowsOfBlocks(blocks, statistics, { rowTexels: 1, count: 1 }));

  const outputPass = outputRun(prepared, weights, values);
  if (blocks.height === 1 && Dv % 4 === 0) return runInto(gl, output, outputPass);
  return runInto(
    gl,
    output,
    rowsOfBlocks(blocks, runBlocks(outputPass), { rowTexels: Math.ceil(Dv / 4), count: Dv }),
  );
}

/** A call whose tensors are in textures. */
type Prepared = Pick<AttentionCall, "scale"> & {
  readonly tiles: TilePlan;
  readonly softcap: number;
  readonly scoreMod: Expression | undefined;
  readonly sinks: View | undefined;
  /** True if some keys may be masked, so that their weights are 0. */
  readonly masked: boolean;
  readonly sizes: Sizes;
  readonly query: Rows;
  readonly keys: Rows;
  readonly plan: PlanTextures | undefined;
  readonly positionInputs: PositionTextures;
  /** Texels of a row of scores. */
  readonly rowTexels: number;
  readonly blocks: Blocks;
  /** Number of blocks. */
  readonly count: number;
};

/** A tensor `[B, H, S, D]` whose rows are padded to whole texels. The offset `at` and the strides are in texels. */
type Rows = {
  readonly texture: Texture;
  readonly at: number;
  readonly batch: number;
  readonly head: number;
  readonly row: number;
  /** Texels of a row. */
  readonly rowTexels: number;
};

/** Rows of one part, read in place if they are whole texels, else packed; several parts are concatenated along axis 2. */
function packedRows(gl: Gl, parts: readonly View[], asScratch: RegisterScratch): Rows {
  const [x] = parts as [View];
  const [, H, , D] = x.shape as [number, number, number, number];
  const rowTexels = Math.ceil(D / 4);
  const offsets = [x.offset, ...x.strides.slice(0, 3).filter((_, axis) => x.shape[axis] !== 1)];
  if (
    parts.length === 1 &&
    (x.strides[3] === 1 || D === 1) &&
    D % 4 === 0 &&
    offsets.every((n) => n % 4 === 0)
  ) {
    const [batch, head, row] = x.strides.map((n) => Math.floor(n / 4)) as [number, number, number];
    return { texture: gl.store.bufferOf(x), at: x.offset / 4, batch, head, row, rowTexels };
  }
  const S = parts.reduce((sum, { shape }) => sum + shape[2]!, 0);
  const texture = asScratch(packRows(gl, parts));
  return { texture, at: 0, batch: H * S * rowTexels, head: S * rowTexels, row: rowTexels, rowTexels };
}

/** Values transposed to `[B, Hkv, Dv, S]`, each row padded with zeros. */
function transposedRows(gl: Gl, parts: readonly View[], asScratch: RegisterScratch): Rows {
  const [x] = parts as [View];
  if (parts.length > 1) {
    const S = parts.reduce((sum, { shape }) => sum + shape[2]!, 0);
    const [B, H, , D] = x.shape as [number, number, number, number];
    const concatenated = asScratch(packRows(gl, parts));
    const rowTexels = Math.ceil(D / 4) * 4;
    return transpose(
      gl,
      concatenated,
      [B, H, D, S],
      [H * S * rowTexels, S * rowTexels, 1, rowTexels],
      asScratch,
    );
  }
  const swap = ([b, h, s, d]: readonly number[]) => [b!, h!, d!, s!];
  return transpose(gl, gl.store.bufferOf(x), swap(x.shape), swap(x.strides), asScratch, x.offset);
}

function transpose(
  gl: Gl,
  x: Texture,
  [B, H, D, S]: readonly number[],
  [sb, sh, sd, ss]: readonly number[],
  asScratch: RegisterScratch,
  offset = 0,
): Rows {
  // Rounded up to a power of two, like rows of scores.
  const rowTexels = 2 ** Math.ceil(Math.log2(Math.max(1, S! / 4)));
  const texture = asScratch(
    gl.shaders.run({
      name: "transpose",
      text: `float number(int n) {
  int row = n / ${rowTexels * 4};
  int s = n - row * ${rowTexels * 4};
  if (s >= keyCount || row >= ${B! * H! * D!}) return 0.0;
  int bh = row / ${D};
  int b = bh / ${H};
  return x1(xAt + b * ${sb} + (bh - b * ${H}) * ${sh} + (row - bh * ${D}) * ${sd} + s * ${ss});
}
${computeByNumber}`,
      inputs: { x },
      ints: { keyCount: S!, xAt: offset },
      length: B! * H! * D! * rowTexels * 4,
    }),
  );
  return { texture, at: 0, batch: H! * D! * rowTexels, head: D! * rowTexels, row: rowTexels, rowTexels };
}

type PlanTextures = { readonly tiles: Texture; readonly bits: Texture };

/**
 * The tile plan as floats: for each tile −1 if all its keys are masked, −2 if none is, else the texel with the mask bits of
 * its first query. Mask bits are stored 16 to a float. Undefined if nothing is masked.
 */
function planTextures(gl: Gl, plan: TilePlan, asScratch: RegisterScratch): PlanTextures | undefined {
  const { classes, bitsAt, bits } = plan;
  if (classes.every((tileClass) => tileClass === 2)) return undefined;
  const tiles = Float32Array.from(classes, (tileClass, tile) =>
    tileClass === 0 ? -1 : tileClass === 2 ? -2 : bitsAt[tile]! / 2,
  );
  const halves = new Float32Array(Math.max(4, bits.length * 2));
  for (let word = 0; word < bits.length; word++) {
    halves[2 * word] = bits[word]! & 0xffff;
    halves[2 * word + 1] = bits[word]! >>> 16;
  }
  return { tiles: asScratch(gl.shaders.upload(tiles)), bits: asScratch(gl.shaders.upload(halves)) };
}

/** Positions of queries and keys: uniforms, or textures where they are not consecutive. */
type PositionTextures = {
  readonly inputs: Record<string, Texture>;
  readonly ints: Record<string, number>;
  text: string;
};

function positionTextures(
  gl: Gl,
  firstQuery: AttentionCall["firstQuery"],
  positions: AttentionCall["keyValues"]["positions"],
  { S }: Sizes,
  asScratch: RegisterScratch,
): PositionTextures {
  const inputs: Record<string, Texture> = {};
  const ints: Record<string, number> = {};
  let queryText = "firstQuery + t";
  if (typeof firstQuery === "number") ints["firstQuery"] = firstQuery;
  else {
    inputs["first"] = asScratch(gl.shaders.upload(Float32Array.from(firstQuery)));
    queryText = "int(first1(b)) + t";
  }
  let keyText = "firstKey + s";
  if ("start" in positions) ints["firstKey"] = positions.start;
  else {
    inputs["place"] = asScratch(gl.shaders.upload(Float32Array.from(positions)));
    ints["placeStep"] = positions.length > S ? S : 0;
    keyText = "int(place1(b * placeStep + s))";
  }
  return {
    inputs,
    ints,
    text: `int queryPosition(int b, int t) { return ${queryText}; }\nint keyPosition(int b, int s) { return ${keyText}; }`,
  };
}

/**
 * GLSL of the indices of a thread: `s`, its first key, and the head and query of each of its rows, `h0` and `t0`, `h1` and
 * `t1`, and so on. Threads outside of the scores return `outside`.
 */
const indexText = ({ rowTexels, blocks, count, sizes: { Hkv, T, group } }: Prepared, outside: string) => {
  const { height, lines, perGroup } = blocks;
  const all = eachLine(blocks, (r) => {
    // All rows of the block belong to one head.
    if (T % height === 0 && r > 0) return `int h${r} = h0; int t${r} = t0 + ${r};`;
    const line = lines % height === 0 ? `line + ${r}` : `min(line + ${r}, ${lines - 1})`;
    return `int h${r} = ${quotient(line, T)}; int t${r} = ${line} - h${r} * ${T}; h${r} += g * ${group};`;
  });
  return `int block = ${quotient("i", rowTexels)};
  int s = (i - block * ${rowTexels}) * 4;
  if (s >= keyCount || block >= ${count}) {
    ${eachLine(blocks, (r) => (r === 0 ? "" : `result${r} = vec4(${outside});`)).join(" ")}
    return vec4(${outside});
  }
  int bg = ${quotient("block", perGroup)};
  int line = (block - bg * ${perGroup}) * ${height};
  int b = ${quotient("bg", Hkv)};
  int g = bg - b * ${Hkv};
  ${all.join("\n  ")}`;
};

/** GLSL that returns the variables `NAME0`, `NAME1` and so on as the results of `compute`. */
const returnText = (blocks: Blocks, name: string) =>
  `${eachLine(blocks, (r) => (r === 0 ? "" : `result${r} = ${name}${r};`)).join(" ")}
  return ${name}0;`;

const lanes = ["x", "y", "z", "w"];

/**
 * The run that computes scores[b, h, t, s … s + 3]: scaled dot products, softcap, `scoreMod` and mask, in this order, up to
 * `stage`.
 */
function scoresRun(gl: Gl, call: Prepared, stage: TraceName): Run {
  const { scale, softcap, query, keys, positionInputs, rowTexels, blocks, count, sizes } = call;
  const beforeMask = stage === "dots" || stage === "capped";
  const plan = beforeMask ? undefined : call.plan;
  const mod = beforeMask ? undefined : call.scoreMod;
  const tables = mod ? tableInputs(gl, mod.tables, "table") : noTables;
  const perLine = (text: (r: number) => string) => eachLine(blocks, text).join("\n  ");
  const rows = eachLine(blocks, (r) => ({
    name: "query",
    start: `queryAt + b * ${query.batch} + h${r} * ${query.head} + t${r} * ${query.row}`,
    inRow: inRow(query),
  }));
  const columns = lanes.map((_, c) => ({ name: "key", start: `k0 + ${c * keys.row}`, inRow: inRow(keys) }));
  const steps = (r: number) => {
    const x = `sum${r}`;
    const each = (text: (lane: string, n: number) => string) =>
      lanes.map((lane, n) => text(`${x}.${lane}`, n));
    return [
      `${x} *= ${float(scale)};`,
      ...(softcap > 0 && stage !== "dots"
        ? each((lane) => `${lane} = ${float(softcap)} * tanh_(${lane} / ${float(softcap)});`)
        : []),
      ...(mod
        ? each(
            (lane, n) =>
              `${lane} = modify(${lane}, float(b), float(h${r}), float(queryPosition(b, t${r})), float(keyPosition(b, s + ${n})));`,
          )
        : []),
      ...(beforeMask
        ? []
        : each((lane, n) => {
            const unseen = plan ? ` || (seen${r} & ${1 << n}) == 0` : "";
            return `if (s + ${n} >= keyCount${unseen} || ${lane} <= ${maskedScore}) ${lane} = ${maskedScore};`;
          })),
    ].join("\n  ");
  };
  const nothing = eachLine(blocks, (r) => `seen${r} == 0`).join(" && ");
  const text = `${tanhText}
${powText}
${mod ? `${positionInputs.text}\n${expressionText("modify", mod, tables.views)}` : ""}
${plan ? seenText(call.tiles) : ""}
vec4 compute(int i) {
  ${indexText(call, maskedScore)}
  ${
    plan
      ? `${perLine((r) => `int seen${r} = seen(b, h${r}, t${r}, s);`)}
  if (${nothing}) {
    ${perLine((r) => (r === 0 ? "" : `result${r} = vec4(${maskedScore});`))}
    return vec4(${maskedScore});
  }`
      : ""
  }
  int k0 = keyAt + b * ${keys.batch} + g * ${keys.head} + s * ${keys.row};
  ${dotRows(rows, columns, String(query.rowTexels))}
  ${perLine(steps)}
  ${returnText(blocks, "sum")}
}`;
  return {
    name: "scores",
    text,
    inputs: {
      query: query.texture,
      key: keys.texture,
      ...(plan && { tiles: plan.tiles, bits: plan.bits }),
      ...(mod && { ...positionInputs.inputs, ...tables.inputs }),
    },
    ints: {
      keyCount: sizes.S,
      queryAt: query.at,
      keyAt: keys.at,
      ...(plan && { columns: call.tiles.columns }),
      ...(mod ? { ...positionInputs.ints, ...tables.ints } : {}),
    },
    length: count * rowTexels * 4,
  };
}

/** GLSL of the mask of keys s … s + 3: bit i is 1 if the query sees key s + i. */
const seenText = ({ batches, heads, rows, queryTile }: TilePlan) => `int seen(int b, int h, int t, int s) {
  int row = (${batches === 1 ? "0" : "b"} * ${heads} + ${heads === 1 ? "0" : "h"}) * ${rows} + ${quotient("t", queryTile)};
  int kind = int(tiles1(row * columns + (s >> 6)));
  if (kind < 0) return kind == -1 ? 0 : 15;
  vec4 bits = bits4(kind + t % ${queryTile});
  return (int(bits[(s & 63) >> 4]) >> (s & 15)) & 15;
}`;

const inRow = ({ texture, rowTexels, at, batch, head, row }: Rows) =>
  stayInRow({ texture, rowTexels, steps: [at, batch, head, row] });

/** The textures of a block's rows as shader inputs `NAME0x`, `NAME1x` and so on. */
const blockInputs = (name: string, textures: readonly Texture[]) =>
  Object.fromEntries(textures.map((texture, r) => [`${name}${r}x`, texture]));

/** The run that computes the softmax statistics of each row, in one texel: log-sum-exp, largest score, 1 / sum, 0. */
function statisticsRun(
  gl: Gl,
  { sinks, sizes, rowTexels, blocks, count }: Prepared,
  scores: readonly Texture[],
): Run {
  const { Hkv, T, S, group } = sizes;
  const inRow = stayInRow({ texture: scores[0]!, rowTexels, steps: [rowTexels] });
  const line = (r: number) => {
    const { begin, read, next } = lineReaderText(
      { name: `scores${r}x`, start: `block * ${rowTexels}`, inRow },
      "at",
    );
    return `vec4 line${r}(int block) {
  ${begin}
  float top = ${maskedScore};
  float total = 0.0;
  for (int k = 0; k < texels; k++) {
    vec4 v = ${read};
    ${onlineSum}
    ${next}
  }
  if (top <= ${maskedScore}) total = 0.0;
  ${
    sinks
      ? `int bg = ${quotient("block", blocks.perGroup)};
  int line = min((block - bg * ${blocks.perGroup}) * ${blocks.height} + ${r}, ${blocks.lines - 1});
  int h = (bg % ${Hkv}) * ${group} + line / ${T};
  float sink = sinks1(sinksAt + h * ${sinks.strides[0]});
  float higher = max(top, sink);
  total = total * exp(top - higher) + exp(sink - higher);
  top = higher;`
      : ""
  }
  if (total == 0.0) return vec4(${float(-Infinity)}, 0.0, 0.0, 0.0);
  return vec4(top + log(total), top, 1.0 / total, 0.0);
}`;
  };
  return {
    name: "statistics",
    text: `${eachLine(blocks, line).join("\n")}
vec4 compute(int block) {
  if (block >= ${count}) return vec4(0.0);
  ${eachLine(blocks, (r) => (r === 0 ? "" : `result${r} = line${r}(block);`)).join("\n  ")}
  return line0(block);
}`,
    inputs: { ...blockInputs("scores", scores), ...(sinks && { sinks: gl.store.bufferOf(sinks) }) },
    ints: { texels: Math.ceil(S / 4), ...(sinks && { sinksAt: sinks.offset }) },
    length: count * 4,
  };
}

/** The run that computes weights[b, h, t, s … s + 3], 0 where masked. */
function weightsRun(
  gl: Gl,
  call: Prepared,
  scores: readonly Texture[],
  statistics: readonly Texture[],
  mod: Expression | undefined,
): Run {
  const { positionInputs, rowTexels, blocks, count, sizes } = call;
  const tables = mod ? tableInputs(gl, mod.tables, "table") : noTables;
  const line = (r: number) => {
    const each = lanes.map((lane, n) => {
      const value = mod
        ? `modify(x${r}.${lane}, float(b), float(h${r}), float(queryPosition(b, t${r})), float(keyPosition(b, s + ${n})))`
        : `x${r}.${lane}`;
      return `x${r}.${lane} = v${r}.${lane} <= ${maskedScore} ? 0.0 : ${value};`;
    });
    return `vec4 v${r} = scores${r}xHere();
  vec4 c${r} = statistics${r}x4(block);
  vec4 x${r} = exp(v${r} - c${r}.y) * c${r}.z;
  ${each.join("\n  ")}`;
  };
  return {
    name: "weights",
    text: `${mod ? [tanhText, powText, positionInputs.text, expressionText("modify", mod, tables.views)].join("\n") : ""}
vec4 compute(int i) {
  ${mod ? indexText(call, "0.0") : `int block = ${quotient("i", rowTexels)};`}
  ${eachLine(blocks, line).join("\n  ")}
  ${returnText(blocks, "x")}
}`,
    inputs: {
      ...blockInputs("scores", scores),
      ...blockInputs("statistics", statistics),
      ...(mod && { ...positionInputs.inputs, ...tables.inputs }),
    },
    ints: mod ? { keyCount: sizes.S, ...positionInputs.ints, ...tables.ints } : {},
    length: count * rowTexels * 4,
  };
}

/**
 * The run that computes output[b, h, t, d … d + 3] = Σ_s weights[b, h, t, s] · value[b, g, s, d … d + 3]. The values are
 * transposed, `[B, Hkv, Dv, S]`, so that both are read along s.
 */
function outputRun(
  { masked, sizes, rowTexels, blocks, count }: Prepared,
  weights: readonly Texture[],
  values: Rows,
): Run {
  const { S, Dv } = sizes;
  const outputRowTexels = Math.ceil(Dv / 4);
  // Without a mask, weights of 0 need no test: they have underflowed, and values beyond the last key are zeros.
  const rows = eachLine(blocks, (r) => ({
    name: `weights${r}x`,
    start: `block * ${rowTexels}`,
    inRow: stayInRow({ texture: weights[0]!, rowTexels, steps: [rowTexels] }),
  }));
  // Lanes beyond Dv compute the last column again; nothing reads these results.
  const columns = lanes.map((_, c) => ({
    name: "value",
    start: `v0 + ${Dv % 4 === 0 ? `(d + ${c})` : `min(d + ${c}, ${Dv - 1})`} * valueRowTexels`,
    inRow: stayInRow({ texture: values.texture, rowTexels: values.rowTexels, steps: [values.rowTexels] }),
  }));
  return {
    name: "output",
    text: `vec4 compute(int i) {
  int block = ${quotient("i", outputRowTexels)};
  int d = (i - block * ${outputRowTexels}) * 4;
  int v0 = ${quotient("block", blocks.perGroup)} * ${Dv} * valueRowTexels;
  ${dotRows(rows, columns, "texels", masked)}
  ${returnText(blocks, "sum")}
}`,
    inputs: { ...blockInputs("weights", weights), value: values.texture },
    ints: { texels: Math.ceil(S / 4), valueRowTexels: values.rowTexels },
    length: count * outputRowTexels * 4,
  };
}

const noTables = { views: [], inputs: {}, ints: {} };

/** Shader inputs for the tables that an expression looks up. */
function tableInputs(gl: Gl, views: readonly View[], name: string) {
  const named = views.map((view, i) => ({ view, input: `${name}${i}x` }));
  return {
    views: named,
    inputs: Object.fromEntries(named.map(({ view, input }) => [input, gl.store.bufferOf(view)])),
    ints: Object.fromEntries(named.map(({ view, input }) => [`${input}At`, view.offset])),
  };
}
