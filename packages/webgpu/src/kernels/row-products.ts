import type { GpuBuffer } from "../buffers.js";
import type { Context } from "../context.js";
import type { Dispatch } from "../engine.js";
import type { Params } from "../params.js";

/** A norm of few rows that the matrix product that reads them can compute, too. */
export type RowNorm = {
  readonly key: string;
  /** Length of a row. */
  readonly length: number;
  /** Number of rows. */
  readonly rows: number;
  readonly reads: readonly GpuBuffer[];
  /** Names of the bindings of `reads`, all float32. */
  readonly bindings: readonly string[];
  readonly addParams: (params: Params) => void;
  /** WGSL statements that read a row, `xIn[at(k)]`, and store its norm in `row[k]`. */
  readonly text: string;
};

/** A matrix product of few rows, without epilogues. */
export type RowProduct = Omit<Dispatch, "text" | "params"> & {
  readonly results: GpuBuffer;
  /** Creates the parameters of the product. */
  readonly makeParams: () => Params;
  /** WGSL of the product with its epilogues. */
  readonly text: (params: Params, epilogues: EpiloguesText) => string;
};

/** WGSL of epilogues: types of the bindings that they read and write, functions, and statements. */
export type EpiloguesText = {
  readonly reads: Readonly<Record<string, string>>;
  readonly writes: Readonly<Record<string, string>>;
  readonly functions: string;
  readonly statements: string;
};

/** An elementwise operation on the result of a product, fused into the product's dispatch (an epilogue). */
export type Epilogue = {
  /** Part of the shader's key. */
  readonly key: string;
  readonly reads: readonly GpuBuffer[];
  readonly write: GpuBuffer;
  /** Adds parameters, whose names end in `i`, and returns WGSL for the result `y` at index `at`. */
  readonly text: (params: Params, i: number) => EpiloguesText;
};

type Recorded = {
  readonly product: RowProduct;
  readonly epilogues: readonly Epilogue[];
  readonly dispatch: Dispatch;
};

/** Largest number of rows of a product that is computed row by row. */
export const maxProductRows = 4;
/** Largest number of epilogues of a product: more are rare, and each sequence of them needs its own shader. */
const maxEpilogues = 2;
/** Largest length of a normalized row, which is stored in workgroup memory. */
const maxRowLength = 2048;
/** Storage buffers per shader that every implementation supports. */
const maxBuffers = 8;

/**
 * The recorded, not yet submitted matrix products of few rows (decoding). An activation, a sum with another tensor or a copy
 * into a cache that follows is fused into the product's dispatch, which stores both results: a dispatch costs more than such an
 * operation.
 */
export class RowProducts {
  /** Products by the buffer of their results. */
  readonly #products = new WeakMap<GpuBuffer, Recorded>();
  /** Norms by the buffer of their results. */
  readonly #norms = new WeakMap<GpuBuffer, { readonly dispatch: Dispatch; readonly norm: RowNorm }>();

  /** Adds a norm, to be fused into the first product that reads its results. */
  addNorm(dispatch: Dispatch, norm: RowNorm): void {
    if (norm.rows <= maxProductRows && norm.length <= maxRowLength)
      this.#norms.set(dispatch.writes[0]!, { dispatch, norm });
  }

  /**
   * Records a product.
   *
   * @param rows - Buffer of its rows, if they fill it.
   * @param make - Creates the product, with or without a fused norm of its rows.
   */
  record({ engine }: Context, rows: GpuBuffer | undefined, make: (norm?: RowNorm) => RowProduct): void {
    const recordedNorm = rows && this.#norms.get(rows);
    if (recordedNorm) {
      this.#norms.delete(rows);
      const product = make(recordedNorm.norm);
      const dispatch = fusedDispatch(product, []);
      if (engine.extend(recordedNorm.dispatch, dispatch, rows)) {
        this.#products.set(product.results, { product, epilogues: [], dispatch });
        return;
      }
    }
    const product = make();
    const dispatch = fusedDispatch(product, []);
    engine.record(dispatch);
    this.#products.set(product.results, { product, epilogues: [], dispatch });
  }

  /** True if a buffer has the results of a product. */
  has(results: GpuBuffer | undefined): results is GpuBuffer {
    return results !== undefined && this.#products.has(results);
  }

  /** Adds an epilogue to the product with these results. False if there is none, or if it can no longer be changed. */
  fuse({ engine }: Context, results: GpuBuffer, epilogue: Epilogue): boolean {
    const recorded = this.#products.get(results);
    if (!recorded) return false;
    const { product, dispatch: old } = recorded;
    const epilogues = [...recorded.epilogues, epilogue];
    if (epilogues.length > maxEpilogues) return false;
    if (old.reads.length + old.writes.length + epilogue.reads.length + 1 > maxBuffers) return false;
    const dispatch = fusedDispatch(product, epilogues);
    if (!engine.extend(old, dispatch, results)) return false;
    this.#products.set(results, { product, epilogues, dispatch });
    return true;
  }
}

function fusedDispatch(product: RowProduct, epilogues: readonly Epilogue[]): Dispatch {
  const { op, key, reads, writes, groups, makeParams, text } = product;
  const params = makeParams();
  const texts = epilogues.map((epilogue, i) => epilogue.text(params, i));
  const all = {
    reads: Object.assign({}, ...texts.map((one) => one.reads)) as Record<string, string>,
    writes: Object.assign({}, ...texts.map((one) => one.writes)) as Record<string, string>,
    functions: texts.map((one) => one.functions).join("\n"),
    statements: texts.map((one) => one.statements).join("\n  "),
  };
  return {
    op,
    key: [key, ...epilogues.map((epilogue) => epilogue.key)].join("|"),
    text: () => text(params, all),
    reads: [...reads, ...epilogues.flatMap((epilogue) => epilogue.reads)],
    writes: [...writes, ...epilogues.map((epilogue) => epilogue.write)],
    params,
    groups,
  };
}
