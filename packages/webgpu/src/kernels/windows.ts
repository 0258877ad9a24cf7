import { refuse } from "@qkv/core";
import { bytesPerElement, sizeOf, type Kernel, type View } from "@qkv/tensor";
import type { Context } from "../context.js";
import { Params } from "../params.js";
import { bitsAt } from "../wgsl/element.js";
import { bindingsText, gridFor, mainText, threads } from "../wgsl/grid.js";
import { traversal } from "../wgsl/traversal.js";
import { storeBitsText } from "./copy-into.js";
import { firstInvalidIndex } from "./indices.js";
import { map } from "./map.js";

type Window = { readonly axis: number; readonly circular: boolean };

/** Kernels that write or read a range of one axis, with a different start in each batch. */
export function windowKernels(context: Context): Record<string, Kernel<never>> {
  return {
    scatterUpdate: (
      [cache, update, starts]: readonly View[],
      [output]: readonly View[],
      window: Window,
    ): boolean => {
      if (cache!.dtype === "float64") return false;
      map(context, "copy", [cache!], output!, { body: "return a;", bits: true });
      return moveWindow(context, "scatterUpdate", output!, update!, starts!, window, "into the cache");
    },
    readWindow: ([cache, , starts]: readonly View[], [output]: readonly View[], window: Window): boolean =>
      cache!.dtype !== "float64" &&
      moveWindow(context, "readWindow", cache!, output!, starts!, window, "out of the cache"),
  };
}

function moveWindow(
  context: Context,
  op: string,
  cache: View,
  update: View,
  starts: View,
  { axis, circular }: Window,
  direction: "into the cache" | "out of the cache",
): true {
  const { store, engine } = context;
  const [S, T] = [cache.shape[axis]!, update.shape[axis]!];
  const invalid = circular
    ? undefined
    : firstInvalidIndex(context, starts, (start) => start >= 0 && start + T <= S);
  if (invalid !== undefined)
    refuse(
      "scatterUpdate",
      "writeIndices",
      invalid,
      `a start from 0 to ${S - T}, for ${T} elements on an axis of ${S}`,
      'grow the cache first, or use the mode "circular".',
    );
  const count = sizeOf(update.shape);
  const fault = engine.faults("scatterUpdate");
  const params = new Params()
    .u32("count", count)
    .i32("room", S)
    .i32("length", T)
    .i32("step", cache.strides[axis]!);
  params.u32("inner", sizeOf(update.shape.slice(axis + 1))).u32("fault", fault.code);
  const along = (list: readonly number[]) => list.map((stride, a) => (a === axis ? 0 : stride));
  const offsets = traversal(op, params, "walk", update.shape, {
    cacheAt: { strides: along(cache.strides), offset: cache.offset },
    updateAt: update,
    startAt: {
      strides: update.shape.map((_, a) => (a === 0 ? starts.strides[0]! : 0)),
      offset: starts.offset,
    },
  });
  const bytes = bytesPerElement(cache.dtype);
  const into = direction === "into the cache";
  engine.record({
    op,
    key: `window:${into}:${circular}:${bytes}:${offsets.rank}`,
    text: () => {
      const [source, sourceAt, targetAt] = into
        ? ["updateIn", "u32(updateAt)", "place"]
        : ["cacheIn", "place", "u32(updateAt)"];
      return `${params.declaration}
${bindingsText(
  { [source]: "u32", starts: "i32" },
  { to: bytes === 4 ? "u32" : "atomic<u32>", faults: "atomic<u32>" },
)}
${mainText(
  threads,
  `  let n = group * ${threads}u + thread;
  if (n >= p.count) { return; }
  ${offsets.text("n")}
  let start = starts[u32(startAt)];
  let t = i32((n / p.inner) % u32(p.length));
  ${
    circular
      ? "let s = (((start + t) % p.room) + p.room) % p.room;"
      : `if (start < 0 || start + p.length > p.room) { atomicStore(&faults[0], p.fault); return; }
  let s = start + t;`
  }
  let place = u32(cacheAt + s * p.step);
  let bits = ${bitsAt(source, bytes, sourceAt)};
  ${storeBitsText("to", bytes, targetAt)}`,
)}`;
    },
    reads: [store.read(into ? update : cache), store.read(starts)],
    writes: [into ? store.read(cache) : store.write(update), fault.buffer],
    params,
    groups: gridFor(Math.ceil(count / threads)),
  });
  return true;
}
