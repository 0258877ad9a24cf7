import { sizeOf } from "@qkv/core";
import type { AttentionRequest, TilePlan, TraceName, View } from "@qkv/tensor";
import { sizesOf, sortInputs, type AttentionInputs } from "@qkv/tensor/key-values";
import { expressionText, isShaderText } from "../expression-text.js";
import { dotRows, stayInRow } from "../dot-rows.js";
import { runInto, withScratch, type Gl } from "../gl.js";
import { float, hidden, powText, tanhText } from "../glsl.js";
import { oneByOne } from "../numbers.js";
import type { Run, Texture } from "../shaders.js";
import { onlineSum } from "./lines.js";
import { packRows } from "./pack-rows.js";

type Request = AttentionRequest & { readonly want: readonly TraceName[] };
type Sizes = ReturnType<typeof sizesOf>;
type Own = (texture: Texture) => Texture;

/**
 * Attention in four shaders: scores, what each row of them has in common, weights, and the mixture of the values. WebGL
 * has no memory that threads share, so that scores have to be written and read again; one shader that did it all would
 * compute each score once for each number of the output.
 */
export function attentionKernel(gl: Gl) {
  return (given: readonly View[], outputs: readonly View[], request: Request): boolean => {
    const inputs = sortInputs(given, request);
    const sizes = sizesOf(inputs);
    const { scoreMod, weightMod, layouts, plan } = request;
    const takes =
      !layouts &&
      given.every(({ dtype }) => dtype === "float32") &&
      [scoreMod, weightMod].every((mod) => !mod || isShaderText(mod)) &&
      plan.keyTile === 64 &&
      sizeOf(outputs[0]!.shape) > 0 &&
      sizes.S > 0 &&
      sizes.D > 0 &&
      inputs.keys.length <= 6;
    if (!takes) return false;
    return withScratch(gl, (own) => attend(gl, inputs, sizes, outputs, request, own));
  };
}

function attend(
  gl: Gl,
  inputs: AttentionInputs,
  sizes: Sizes,
  outputs: readonly View[],
  request: Request,
  own: Own,
): boolean {
  const { B, H, T, S, Dv } = sizes;
  const [output, lse, ...traces] = outputs as [View, View, ...View[]];
  const rows = B * H * T;
  // Texels of a row of scores. A length that grows from call to call gets room in powers of two, and compiles as rarely.
  const wide = S === T ? Math.ceil(S / 4) : 2 ** Math.ceil(Math.log2(Math.max(16, S / 4)));
  const query = rowsOf(gl, [inputs.query], own);
  const keys = rowsOf(gl, inputs.keys, own);
  const values = turnedRows(gl, inputs.values, own);
  const plan = planTextures(gl, request.plan, own);
  const places = placeTextures(gl, request, sizes, own);
  const call: Call = { request, inputs, sizes, query, keys, plan, places, wide, rows };

  const scores = own(gl.shaders.run(scoresRun(gl, call, "scores")));
  const common = own(gl.shaders.run(commonRun(gl, call, scores)));
  const weights = own(gl.shaders.run(weightsRun(gl, call, scores, common, request.weightMod)));

  request.want.forEach((name, i) => {
    const traced =
      name === "scores"
        ? scores
        : name !== "weights"
          ? own(gl.shaders.run(scoresRun(gl, call, name)))
          : request.weightMod
            ? own(gl.shaders.run(weightsRun(gl, call, scores, common, undefined)))
            : weights;
    runInto(gl, traces[i]!, {
      name: "trace",
      text: `float number(int n) {
  int row = n / keyCount;
  float x = x1(row * ${wide * 4} + n - row * keyCount);
  return ${name === "scores" ? `x <= ${hidden} ? ${float(-Infinity)} : x` : "x"};
}
${oneByOne}`,
      inputs: { x: traced },
      ints: { keyCount: S },
    });
  });
  runInto(gl, lse, {
    name: "lse",
    text: `float number(int n) { return x4(n).z; }\n${oneByOne}`,
    inputs: { x: common },
  });

  const mixture = mixtureRun(call, weights, values);
  if (Dv % 4 === 0) return runInto(gl, output, mixture);
  const padded = own(gl.shaders.run(mixture));
  const outWide = Math.ceil(Dv / 4);
  return runInto(gl, output, {
    name: "unpad",
    text: `float number(int n) { int row = n / ${Dv}; return x1(row * ${outWide * 4} + n - row * ${Dv}); }
${oneByOne}`,
    inputs: { x: padded },
  });
}

type Call = {
  readonly request: Request;
  readonly inputs: AttentionInputs;
  readonly sizes: Sizes;
  readonly query: Rows;
  readonly keys: Rows;
  readonly plan: PlanTextures | undefined;
  readonly places: PlaceTextures;
  readonly wide: number;
  readonly rows: number;
};

/** [B, H, S, D] whose rows are whole texels. Steps are in texels. */
type Rows = {
  readonly texture: Texture;
  readonly at: number;
  readonly batch: number;
  readonly head: number;
  readonly row: number;
  /** Texels of a row. */
  readonly wide: number;
};

function rowsOf(gl: Gl, parts: readonly View[], own: Own): Rows {
  const [x] = parts as [View];
  const [, H, , D] = x.shape as [number, number, number, number];
  const wide = Math.ceil(D / 4);
  const whole = [x.offset, ...x.strides.slice(0, 3).filter((_, axis) => x.shape[axis] !== 1)];
  if (
    parts.length === 1 &&
    (x.strides[3] === 1 || D === 1) &&
    D % 4 === 0 &&
    whole.every((n) => n % 4 === 0)
  ) {
    const [batch, head, row] = x.strides.map((n) => Math.floor(n / 4)) as [number, number, number];
    return { texture: gl.store.bufferOf(x), at: x.offset / 4, batch, head, row, wide };
  }
  const S = parts.reduce((sum, { shape }) => sum + shape[2]!, 0);
  const texture = own(packRows(gl, parts));
  return { texture, at: 0, batch: H * S * wide, head: S * wide, row: wide, wide };
}

/** Values turned, [B, Hkv, Dv, S], filled up with zeros. */
function turnedRows(gl: Gl, parts: readonly View[], own: Own): Rows {
  const [x] = parts as [View];
  if (parts.length > 1) {
    const S = parts.reduce((sum, { shape }) => sum + shape[2]!, 0);
    const [B, H, , D] = x.shape as [number, number, number, number];
    const joined = own(packRows(gl, parts));
    const wide = Math.ceil(D / 4) * 4;
    return turnedFrom(gl, joined, [B, H, D, S], [H * S * wide, S * wide, 1, wide], own);
  }
  const swap = ([b, h, s, d]: readonly number[]) => [b!, h!, d!, s!];
  return turnedFrom(gl, gl.store.bufferOf(x), swap(x.shape), swap(x.strides), own, x.offset);
}

function turnedFrom(
  gl: Gl,
  x: Texture,
  [B, H, D, S]: readonly number[],
  [sb, sh, sd, ss]: readonly number[],
  own: Own,
  offset = 0,
): Rows {
  // Room in powers of two where the length grows, as for scores.
  const wide = 2 ** Math.ceil(Math.log2(Math.max(1, S! / 4)));
  const texture = own(
    gl.shaders.run({
      name: "turn",
      text: `float number(int n) {
  int row = n / ${wide * 4};
  int s = n - row * ${wide * 4};
  if (s >= keyCount || row >= ${B! * H! * D!}) return 0.0;
  int bh = row / ${D};
  int b = bh / ${H};
  return x1(xAt + b * ${sb} + (bh - b * ${H}) * ${sh} + (row - bh * ${D}) * ${sd} + s * ${ss});
}
${oneByOne}`,
      inputs: { x },
      ints: { keyCount: S!, xAt: offset },
      length: B! * H! * D! * wide * 4,
    }),
  );
  return { texture, at: 0, batch: H! * D! * wide, head: D! * wide, row: wide, wide };
}

type PlanTextures = { readonly tiles: Texture; readonly bits: Texture };

/**
 * The plan as numbers: for each tile −1 where nothing is seen, −2 where all is, else which texel holds the bits of its
 * first query, 16 to a number. Undefined where all is seen.
 */
function planTextures(gl: Gl, plan: TilePlan, own: Own): PlanTextures | undefined {
  const { classes, bitsAt, bits } = plan;
  if (classes.every((one) => one === 2)) return undefined;
  const tiles = Float32Array.from(classes, (one, tile) =>
    one === 0 ? -1 : one === 2 ? -2 : bitsAt[tile]! / 2,
  );
  const halves = new Float32Array(Math.max(4, bits.length * 2));
  for (let word = 0; word < bits.length; word++) {
    halves[2 * word] = bits[word]! & 0xffff;
    halves[2 * word + 1] = bits[word]! >>> 16;
  }
  return { tiles: own(gl.shaders.upload(tiles)), bits: own(gl.shaders.upload(halves)) };
}

/** Where queries and keys stand: numbers, or textures where they do not follow each other. */
type PlaceTextures = {
  readonly inputs: Record<string, Texture>;
  readonly ints: Record<string, number>;
  text: string;
};

function placeTextures(gl: Gl, { firstQuery, positions }: Request, { S }: Sizes, own: Own): PlaceTextures {
  const inputs: Record<string, Texture> = {};
  const ints: Record<string, number> = {};
  let queryText = "firstQuery + t";
  if (typeof firstQuery === "number") ints["firstQuery"] = firstQuery;
  else {
    inputs["first"] = own(gl.shaders.upload(Float32Array.from(firstQuery)));
    queryText = "int(first1(b)) + t";
  }
  let keyText = "firstKey + s";
  if ("start" in positions) ints["firstKey"] = positions.start;
  else {
    inputs["place"] = own(gl.shaders.upload(Float32Array.from(positions)));
    ints["placeStep"] = positions.length > S ? S : 0;
    keyText = "int(place1(b * placeStep + s))";
  }
  return {
    inputs,
    ints,
    text: `int queryPlace(int b, int t) { return ${queryText}; }\nint keyPlace(int b, int s) { return ${keyText}; }`,
  };
}

/** Where a thread of the scores stands. */
const threadText = ({ wide, rows, sizes: { H, T, group } }: Call) => `int line = i / ${wide};
  int s = (i - line * ${wide}) * 4;
  if (s >= keyCount || line >= ${rows}) return vec4(${hidden});
  int bh = line / ${T};
  int t = line - bh * ${T};
  int b = bh / ${H};
  int h = bh - b * ${H};
  int g = h / ${group};`;

/** scores[b, h, t, s … s + 3]: dots, softcap, scoreMod, mask, in this order, as far as `stage`. */
function scoresRun(gl: Gl, call: Call, stage: TraceName): Run {
  const { request, inputs, query, keys, places, wide, rows, sizes } = call;
  const { scale, softcap } = request;
  const everything = stage === "dots" || stage === "capped";
  const plan = everything ? undefined : call.plan;
  const mod = everything ? undefined : request.scoreMod;
  const tables = mod ? tablesOf(gl, inputs.tables.slice(0, mod.tables.length), "table") : noTables;
  const lanes = ["x", "y", "z", "w"];
  const seen = plan
    ? `int tile = ((${request.plan.batches === 1 ? "0" : "b"} * ${request.plan.heads} + ${request.plan.heads === 1 ? "0" : "h"}) * ${request.plan.rows} + t / ${request.plan.queryTile}) * columns + s / 64;
  int kind = int(tiles1(tile));
  if (kind == -1) return vec4(${hidden});
  int seen = 15;
  if (kind >= 0) {
    vec4 bits = bits4(kind + t % ${request.plan.queryTile});
    seen = (int(bits[(s & 63) >> 4]) >> (s & 15)) & 15;
    if (seen == 0) return vec4(${hidden});
  }`
    : "int seen = 15;";
  const text = `${tanhText}
${powText}
${mod ? `${places.text}\n${expressionText("modify", mod, tables.views)}` : ""}
vec4 compute(int i) {
  ${threadText(call)}
  ${seen}
  int q = queryAt + b * ${query.batch} + h * ${query.head} + t * ${query.row};
  int k0 = keyAt + b * ${keys.batch} + g * ${keys.head} + s * ${keys.row};
  vec4 sum = vec4(0.0);
  ${dotRows(
    ["query", "key"],
    ["q", "k0", `k0 + ${keys.row}`, `k0 + ${2 * keys.row}`, `k0 + ${3 * keys.row}`],
    String(query.wide),
    { a: inRow(query), b: inRow(keys) },
  )}
  vec4 x = sum;
  x *= ${float(scale)};
  ${
    softcap > 0 && stage !== "dots"
      ? lanes
          .map((lane) => `x.${lane} = ${float(softcap)} * tanh_(x.${lane} / ${float(softcap)});`)
          .join("\n  ")
      : ""
  }
  ${
    mod
      ? `float query = float(queryPlace(b, t));
  ${lanes.map((lane, n) => `x.${lane} = modify(x.${lane}, float(b), float(h), query, float(keyPlace(b, s + ${n})));`).join("\n  ")}`
      : ""
  }
  ${everything ? "" : lanes.map((lane, n) => `if (s + ${n} >= keyCount || (seen & ${1 << n}) == 0 || x.${lane} <= ${hidden}) x.${lane} = ${hidden};`).join("\n  ")}
  return x;
}`;
  return {
    name: "scores",
    text,
    inputs: {
      query: query.texture,
      key: keys.texture,
      ...(plan && { tiles: plan.tiles, bits: plan.bits }),
      ...(mod && { ...places.inputs, ...tables.inputs }),
    },
    ints: {
      keyCount: sizes.S,
      queryAt: query.at,
      keyAt: keys.at,
      ...(plan && { columns: request.plan.columns }),
      ...(mod ? { ...places.ints, ...tables.ints } : {}),
    },
    length: rows * wide * 4,
  };
}

const inRow = ({ texture, wide, at, batch, head, row }: Rows) =>
  stayInRow({ texture, wide, steps: [at, batch, head, row] });

/** What each row has in common, a texel: the largest score, one over the sum, and the sum's logarithm. */
function commonRun(gl: Gl, { inputs, sizes, wide, rows }: Call, scores: Texture): Run {
  const { sinks } = inputs;
  const { H, T, S } = sizes;
  return {
    name: "common",
    text: `vec4 compute(int line) {
  if (line >= ${rows}) return vec4(0.0);
  int at = line * ${wide};
  int texels = (keyCount + 3) / 4;
  float top = ${hidden};
  float total = 0.0;
  for (int k = 0; k < texels; k++) {
    vec4 v = scores4(at + k);
    ${onlineSum}
  }
  if (top <= ${hidden}) total = 0.0;
  ${
    sinks
      ? `float sink = sinks1(sinksAt + ((line / ${T}) % ${H}) * ${sinks.strides[0]});
  float higher = max(top, sink);
  total = total * exp(top - higher) + exp(sink - higher);
  top = higher;`
      : ""
  }
  if (total == 0.0) return vec4(0.0, 0.0, ${float(-Infinity)}, 0.0);
  return vec4(top, 1.0 / total, top + log(total), 0.0);
}`,
    inputs: { scores, ...(sinks && { sinks: gl.store.bufferOf(sinks) }) },
    ints: { keyCount: S, ...(sinks && { sinksAt: sinks.offset }) },
    length: rows * 4,
  };
}

/** weights[b, h, t, s … s + 3], 0 where hidden. */
function weightsRun(gl: Gl, call: Call, scores: Texture, common: Texture, mod: Request["weightMod"]): Run {
  const { request, inputs, places, wide, rows, sizes } = call;
  const tables = mod
    ? tablesOf(gl, inputs.tables.slice(request.scoreMod?.tables.length ?? 0), "table")
    : noTables;
  const lanes = ["x", "y", "z", "w"];
  return {
    name: "weights",
    text: `${mod ? [tanhText, powText, places.text, expressionText("modify", mod, tables.views)].join("\n") : ""}
vec4 compute(int i) {
  int line = i / ${wide};
  ${
    mod
      ? threadText(call)
          .replace(/int line = [^;]*;\n/, "")
          .replaceAll(hidden, "0.0")
      : `if (line >= ${rows}) return vec4(0.0);`
  }
  vec4 v = scores4(i);
  vec4 c = common4(line);
  vec4 x = exp(v - c.x) * c.y;
  ${mod ? "float query = float(queryPlace(b, t));" : ""}
  ${lanes
    .map((lane, n) => {
      const value = mod
        ? `modify(x.${lane}, float(b), float(h), query, float(keyPlace(b, s + ${n})))`
        : `x.${lane}`;
      return `x.${lane} = v.${lane} <= ${hidden} ? 0.0 : ${value};`;
    })
    .join("\n  ")}
  return x;
}`,
    inputs: { scores, common, ...(mod && { ...places.inputs, ...tables.inputs }) },
    ints: mod ? { keyCount: sizes.S, ...places.ints, ...tables.ints } : {},
    length: rows * wide * 4,
  };
}

/**
 * output[b, h, t, d … d + 3] = Σ_s weights[b, h, t, s] · value[b, g, s, d … d + 3], with the values turned, [B, Hkv, Dv, S],
 * so that both are read along s.
 */
function mixtureRun(
  { request, plan, sizes, wide, rows }: Call,
  weights: Texture,
  values: Rows,
): Omit<Run, "length"> & { length: number } {
  const { H, T, S, Dv, group } = sizes;
  const outWide = Math.ceil(Dv / 4);
  // Where nothing is hidden, a weight of 0 is one that was too small, and beyond the last key values are zeros.
  const hides = plan !== undefined || request.scoreMod !== undefined || request.weightMod !== undefined;
  // Beyond the last number of a value there is another: the last one is read again, and what comes of it is not.
  const line = (lane: number) =>
    Dv % 4 === 0 ? `v0 + (d + ${lane}) * valueWide` : `v0 + min(d + ${lane}, ${Dv - 1}) * valueWide`;
  return {
    name: "mixture",
    text: `vec4 compute(int i) {
  int line = i / ${outWide};
  int d = (i - line * ${outWide}) * 4;
  if (line >= ${rows}) return vec4(0.0);
  int bh = line / ${T};
  int b = bh / ${H};
  int at = line * ${wide};
  int v0 = (b * ${H / group} + (bh - b * ${H}) / ${group}) * ${Dv} * valueWide;
  vec4 sum = vec4(0.0);
  ${dotRows(
    ["weights", "value"],
    ["at", line(0), line(1), line(2), line(3)],
    "texels",
    {
      a: stayInRow({ texture: weights, wide, steps: [wide] }),
      b: stayInRow({ texture: values.texture, wide: values.wide, steps: [values.wide] }),
    },
    hides,
  )}
  return sum;
}`,
    inputs: { weights, value: values.texture },
    ints: { texels: Math.ceil(S / 4), valueWide: values.wide },
    length: rows * outWide * 4,
  };
}

const noTables = { views: [], inputs: {}, ints: {} };

/** The tables that an expression looks up, as inputs. */
function tablesOf(gl: Gl, views: readonly View[], name: string) {
  const named = views.map((view, i) => ({ view, input: `${name}${i}x` }));
  return {
    views: named,
    inputs: Object.fromEntries(named.map(({ view, input }) => [input, gl.store.bufferOf(view)])),
    ints: Object.fromEntries(named.map(({ view, input }) => [`${input}At`, view.offset])),
  };
}
