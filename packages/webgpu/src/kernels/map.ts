import { broadcastStrides, bytesPerElement, sizeOf, type View } from "@qkv/tensor";
import type { Context } from "../context.js";
import { Params } from "../params.js";
import { arrayType, bitsAt, elementsPerWord, numberAt, valueType } from "../wgsl/element.js";
import { bindingsText, gridFor, mainText, threads } from "../wgsl/grid.js";
import { withFunctions } from "../wgsl/numbers.js";
import { traversal } from "../wgsl/traversal.js";

/** The names of the inputs in a formula. */
const names = ["a", "b", "c", "d"] as const;

/** An elementwise function: each number of the output from those of the inputs at the same indices. */
export type Formula = {
  /** Part of the shader's key that distinguishes texts of one op. */
  readonly variant?: string;
  /** WGSL statements that return the number, from the inputs `a`, `b`, …, its row-major index `n`, and the parameters `p`. */
  readonly body: string;
  /**
   * True if inputs and result are bit patterns (`u32`); a set: the result and the inputs of these indices. Default false:
   * numbers.
   */
  readonly bits?: boolean | ReadonlySet<number>;
  /** Inputs that the body reads itself: `aElement(index)` is an element of input `a`, `aAt` the index of the broadcast one. */
  readonly bodyReads?: ReadonlySet<number>;
  /** True if the body calls `fault()` for indices out of range. */
  readonly faults?: boolean;
  /** Adds the parameters that the body reads. */
  readonly params?: (params: Params) => void;
};

/**
 * Runs an elementwise function, with broadcasting. One thread computes one number, or a word of 4 bytes if the output's
 * elements are smaller.
 */
export function map(
  { store, engine }: Context,
  op: string,
  inputs: readonly View[],
  output: View,
  { variant = "", body, bits = false, bodyReads, faults = false, params: addParams }: Formula,
): true {
  const count = sizeOf(output.shape);
  const params = new Params().u32("count", count);
  const used = names.slice(0, inputs.length);
  const asBits = (i: number) => (typeof bits === "boolean" ? bits : bits.has(i));
  // A scalar on the host is passed as a parameter and needs no buffer.
  const scalars = inputs.map((input, i) =>
    bodyReads?.has(i) ? undefined : hostScalar(store, input, asBits(i)),
  );
  const read = inputs.filter((_, i) => scalars[i] === undefined);
  const offsets = traversal(
    op,
    params,
    "walk",
    output.shape,
    Object.fromEntries(
      inputs.flatMap(({ shape, strides, offset }, i) =>
        scalars[i] === undefined
          ? [[`${used[i]!}At`, { strides: broadcastStrides(output.shape, shape, strides), offset }]]
          : [],
      ),
    ),
  );
  scalars.forEach((scalar, i) => scalar && params[scalar.type](`${used[i]}Is`, scalar.value));
  addParams?.(params);
  const fault = faults ? engine.faults(op) : undefined;
  if (fault) params.u32("fault", fault.code);
  const perWord = elementsPerWord(output.dtype);
  const types = [...inputs, output].map(({ dtype }) => dtype).join();
  engine.record({
    op,
    key: `map:${op}:${variant}:${types}:${offsets.rank}:${scalars.map((scalar) => (scalar ? 1 : 0)).join("")}`,
    text: () => {
      const anyBits = bits !== false;
      const type = anyBits ? "u32" : valueType(output.dtype);
      const elementText = (i: number, index: string) =>
        asBits(i)
          ? bitsAt(`${used[i]}In`, bytesPerElement(inputs[i]!.dtype), index)
          : numberAt(`${used[i]}In`, inputs[i]!.dtype, index);
      const values = inputs.map((_, i) => {
        if (bodyReads?.has(i)) return "";
        return `let ${used[i]} = ${scalars[i] ? `p.${used[i]}Is` : elementText(i, `u32(${used[i]}At)`)};`;
      });
      const readers = inputs.map((input, i) =>
        bodyReads?.has(i)
          ? `fn ${used[i]}Element(index: i32) -> ${asBits(i) ? "u32" : valueType(input.dtype)} { return ${elementText(i, "u32(index)")}; }`
          : "",
      );
      const element = (i: number, dtype: View["dtype"]) => (asBits(i) ? "u32" : arrayType(dtype));
      const mask = perWord === 4 ? "255u" : "65535u";
      const stored =
        perWord === 1
          ? `if (group * ${threads}u + thread < p.count) { out[group * ${threads}u + thread] = value(group * ${threads}u + thread); }`
          : `let first = (group * ${threads}u + thread) * ${perWord}u;
  if (first >= p.count) { return; }
  var word = 0u;
  for (var j = 0u; j < ${perWord}u; j++) {
    if (first + j < p.count) { word |= (u32(value(first + j)) & ${mask}) << (${32 / perWord}u * j); }
  }
  out[first / ${perWord}u] = word;`;
      return withFunctions(`${params.declaration}
${bindingsText(
  Object.fromEntries(
    inputs.flatMap(({ dtype }, i) => (scalars[i] ? [] : [[`${used[i]}In`, element(i, dtype)]])),
  ),
  { out: anyBits ? "u32" : arrayType(output.dtype), ...(fault && { faults: "atomic<u32>" }) },
)}
${fault ? "fn fault() { atomicStore(&faults[0], p.fault); }" : ""}
${readers.join("\n")}
fn value(n: u32) -> ${type} {
  ${offsets.text("n")}
  ${values.join("\n  ")}
  ${body}
}
${mainText(threads, `  ${stored}`)}`);
    },
    reads: read.map((input) => store.read(input)),
    writes: [store.write(output), ...(fault ? [fault.buffer] : [])],
    params,
    groups: gridFor(Math.ceil(count / perWord / threads)),
  });
  return true;
}

/** The number of a tensor of one element, if it is on the host, as a shader parameter. */
function hostScalar(
  store: Context["store"],
  { storage, dtype }: View,
  bits: boolean,
): { readonly type: "f32" | "i32" | "u32"; readonly value: number } | undefined {
  if (storage.length !== 1 || dtype === "float16" || dtype === "bfloat16") return undefined;
  const value = store.hostArray({ storage })?.[0];
  if (value === undefined) return undefined;
  if (!bits) return { type: valueType(dtype), value };
  return {
    type: "u32",
    value: dtype === "float32" ? new Uint32Array(Float32Array.of(value).buffer)[0]! : value,
  };
}
