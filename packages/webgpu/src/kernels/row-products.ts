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

/** A matrix product of few rows, without followers. */
export type RowProduct = Omit<Dispatch, "text" | "params"> & {
  readonly results: GpuBuffer;
  /** Creates the parameters of the product. */
  readonly makeParams: () => Params;
  /** WGSL of the product with its followers. */
  readonly text: (params: Params, followers: FollowersText) => string;
};

/** WGSL of followers: types of the bindings that they read and write, functions, and statements. */
export type FollowersText = {
  readonly reads: Readonly<Record<string, string>>;
  readonly writes: Readonly<Record<string, string>>;
  readonly functions: string;
  readonly statements: string;
};

/** An elementwise operation on the result of a product, fused into the product's dispatch (an epilogue). */
export type Follower = {
  /** Part of the shader's key. */
  readonly key: string;
  readonly reads: readonly GpuBuffer[];
  readonly write: GpuBuffer;
  /** Adds parameters, whose names end in `i`, and returns WGSL for the result `y` at index `at`. */
  readonly text: (params: Params, i: number) => FollowersText;
};

type Recorded = {
  readonly product: RowProduct;
  readonly followers: readonly Follower[];
  readonly dispatch: Dispatch;
};

/** Largest number of rows of a product that is computed row by row. */
export const maxProductRows = 4;
/** Largest number of followers of a product: more are rare, and each sequence of them needs its own shader. */
const maxFollowers = 2;
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
    const known = rows && this.#norms.get(rows);
    if (known) {
      this.#norms.delete(rows);
      const product = make(known.norm);
      const dispatch = fusedDispatch(product, []);
      if (engine.extend(known.dispatch, dispatch, rows)) {
        this.#products.set(product.results, { product, followers: [], dispatch });
        return;
      }
    }
    const product = make();
    const dispatch = fusedDispatch(product, []);
    engine.record(dispatch);
    this.#products.set(product.results, { product, followers: [], dispatch });
  }

  /** True if a buffer has the results of a product. */
  has(results: GpuBuffer | undefined): results is GpuBuffer {
    return results !== undefined && this.#products.has(results);
  }

  /** Adds a follower to the product with these results. False if there is none, or if it can no longer be changed. */
  follow({ engine }: Context, results: GpuBuffer, follower: Follower): boolean {
    const recorded = this.#products.get(results);
    if (!recorded) return false;
    const { product, dispatch: old } = recorded;
    const followers = [...recorded.followers, follower];
    if (followers.length > maxFollowers) return false;
    if (old.reads.length + old.writes.length + follower.reads.length + 1 > maxBuffers) return false;
    const dispatch = fusedDispatch(product, followers);
    if (!engine.extend(old, dispatch, results)) return false;
    this.#products.set(results, { product, followers, dispatch });
    return true;
  }
}

function fusedDispatch(product: RowProduct, followers: readonly Follower[]): Dispatch {
  const { op, key, reads, writes, groups, makeParams, text } = product;
  const params = makeParams();
  const texts = followers.map((follower, i) => follower.text(params, i));
  const all = {
    reads: Object.assign({}, ...texts.map((one) => one.reads)) as Record<string, string>,
    writes: Object.assign({}, ...texts.map((one) => one.writes)) as Record<string, string>,
    functions: texts.map((one) => one.functions).join("\n"),
    statements: texts.map((one) => one.statements).join("\n  "),
  };
  return {
    op,
    key: [key, ...followers.map((follower) => follower.key)].join("|"),
    text: () => text(params, all),
    reads: [...reads, ...followers.flatMap((follower) => follower.reads)],
    writes: [...writes, ...followers.map((follower) => follower.write)],
    params,
    groups,
  };
}
