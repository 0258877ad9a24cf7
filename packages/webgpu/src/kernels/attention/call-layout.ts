import { callSizes, handledAll, type AttentionCall, type Expression } from "@qkv/attention-contract";
import type { Tensor } from "@qkv/tensor";
import type { GpuBuffer } from "../../buffers.js";
import type { Context } from "../../context.js";
import { Params } from "../../params.js";
import { addCallTables, withTables } from "./call-tables.js";
import { addScoreParams } from "./call-words.js";
import { denseRows } from "./dense-keys.js";
import { expressionKey, isShaderText } from "./expression-text.js";
import { planTile, type Plans } from "./plan-words.js";
import { scoreText } from "./score-text.js";

/** A call of attention as shaders read it: bindings, parameters, and the WGSL that all its kernels share. */
export type CallLayout = {
  readonly sizes: ReturnType<typeof callSizes>;
  readonly params: Params;
  /** Identifies the text. */
  readonly key: string;
  /** Bindings that are read: query, plan, words, key, value, and tables where there are some. */
  readonly reads: readonly GpuBuffer[];
  readonly bindings: Readonly<Record<string, string>>;
  /** Functions: rows of query, keys and values, positions, scores, and the bits of the plan. */
  readonly text: string;
  readonly scoreMod: Expression | undefined;
  readonly weightMod: Expression | undefined;
  readonly sinks: boolean;
  /** True if a visible tile may hold masked scores. */
  readonly masksItself: boolean;
};

/**
 * Lays out a call and runs `f` with it. What only the call needs is freed at its end.
 *
 * @returns False for a call with a function of the program, which no shader runs, or of numbers other than float32.
 */
export function withLayout(
  context: Context,
  plans: Plans,
  call: AttentionCall,
  f: (layout: CallLayout) => void,
): boolean {
  if (!isForShaders(call)) return false;
  const { query, keyValues, softcap = 0, sinks, plan, scoreMod, weightMod } = call;
  const sizes = callSizes(call);
  const { B, H, T, S, D, Dv } = sizes;
  const { store } = context;
  const op = store.op;
  query.device.scope(() => {
    const [key, value] = [keyValues.key, keyValues.value].map((segments) => denseRows(segments, B)) as [
      Tensor,
      Tensor,
    ];
    const packedQuery = query.strides[3] === 1 || D <= 1 ? query : denseRows([query], B);
    store.op = op;
    const params = new Params();
    const { words, listed } = addScoreParams(params, call, sizes);
    params.u32("pairs", B * H * T * S);
    const layouts = { query: packedQuery, key, value };
    for (const [name, { strides, offset }] of Object.entries(layouts)) {
      params.u32(`${name}At`, offset).u32(`${name}Batch`, strides[0]!).u32(`${name}Head`, strides[1]!);
      params.u32(`${name}Row`, strides[2]!);
    }
    addCallTables(params, call);
    const fours = Object.fromEntries(
      Object.entries(layouts).map(([name, { strides, offset, shape }]) => [
        name,
        [offset, ...strides.slice(0, 3), shape[3]!].every((n) => n % 4 === 0),
      ]),
    );
    const mods = [scoreMod, weightMod].map((mod) => (mod ? expressionKey(mod) : ""));
    const row = (name: string, n: number) => rowText(name, n, fours[name]!);
    withTables(context, call, (tableBuffer) =>
      f({
        sizes,
        params,
        key: [D, Dv, ...Object.values(fours), softcap > 0, listed, !!sinks, !!tableBuffer, ...mods].join(":"),
        reads: [
          store.read(packedQuery),
          plans.buffer(context, plan),
          plans.words.buffer(context, words),
          store.read(key),
          store.read(value),
          ...(tableBuffer ? [tableBuffer] : []),
        ],
        bindings: {
          query: fours["query"] ? "vec4<f32>" : "f32",
          plan: "u32",
          words: "i32",
          key: fours["key"] ? "vec4<f32>" : "f32",
          value: fours["value"] ? "vec4<f32>" : "f32",
          ...(tableBuffer && { tables: "f32" }),
        },
        text: `${row("query", D)}
${row("key", D)}
${row("value", Dv)}
${scoreText({
  softcap: softcap > 0,
  listed,
  tables: !!tableBuffer,
  scoreMod,
  weightMod,
  word: (index) => `words[${index}]`,
  planWord: (index) => `plan[${index}]`,
})}`,
        scoreMod,
        weightMod,
        sinks: !!sinks,
        masksItself: scoreMod !== undefined,
      }),
    );
  });
  return true;
}

/** True for a call of float32 without a function of the program, which no shader runs. */
export function isForShaders(call: AttentionCall): boolean {
  const { query, keyValues, firstQuery, scale, softcap, sinks, plan, scoreMod, weightMod, want, ...rest } =
    call;
  handledAll(rest);
  void [keyValues, firstQuery, scale, softcap, sinks, want];
  const runs = [scoreMod, weightMod].every((mod) => !mod || isShaderText(mod));
  return runs && query.dtype === "float32" && plan.queryTile === planTile && plan.keyTile === planTile;
}

/** WGSL of four numbers of a row, from number 4 d on; beyond its end they are 0. */
function rowText(name: string, n: number, fours: boolean): string {
  const at = `p.${name}At + b * p.${name}Batch + h * p.${name}Head + i * p.${name}Row + d * 4u`;
  if (fours)
    return `fn ${name}4(b: u32, h: u32, i: u32, d: u32) -> vec4<f32> { return ${name}[(${at}) / 4u]; }`;
  const numbers = [0, 1, 2, 3].map((j) =>
    n % 4 === 0
      ? `${name}[at + ${j}u]`
      : `select(0.0, ${name}[at + min(${j}u, ${n - 1}u - d * 4u)], d * 4u + ${j}u < ${n}u)`,
  );
  return `fn ${name}4(b: u32, h: u32, i: u32, d: u32) -> vec4<f32> {
  let at = ${at};
  return vec4<f32>(${numbers.join(", ")});
}`;
}
