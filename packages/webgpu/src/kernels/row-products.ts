import type { GpuBuffer } from "../buffers.js";
import type { Context } from "../context.js";
import type { Dispatch } from "../engine.js";
import type { Params } from "../params.js";

/** A norm of few rows, which the product that reads them can compute. */
export type RowNorm = {
  readonly key: string;
  /** Numbers of a row, and rows. */
  readonly length: number;
  readonly lines: number;
  readonly reads: readonly GpuBuffer[];
  /** Names of what it reads, all of float32. */
  readonly bindings: readonly string[];
  readonly addParams: (params: Params) => void;
  /** Statements that store a row, read by `xIn[at(k)]`, in `row`. */
  readonly text: string;
};

/** A product of few rows, before what follows it is known. */
export type RowProduct = Omit<Dispatch, "text" | "params"> & {
  readonly results: GpuBuffer;
  /** Adds the parameters of the product. */
  readonly makeParams: () => Params;
  /** WGSL of it, with what follows it. */
  readonly text: (params: Params, followers: FollowersText) => string;
};

/** WGSL of all followers: types of what they read and write beside, functions, and statements. */
export type FollowersText = {
  readonly reads: Readonly<Record<string, string>>;
  readonly writes: Readonly<Record<string, string>>;
  readonly functions: string;
  readonly statements: string;
};

/** An operation on each number of a product, which the product's own dispatch can compute as it stores the number. */
export type Follower = {
  /** Identifies the text. */
  readonly key: string;
  readonly reads: readonly GpuBuffer[];
  readonly write: GpuBuffer;
  /** Adds parameters, whose names end in `i`, and returns the text: statements on the number `y` at place `at`. */
  readonly text: (params: Params, i: number) => FollowersText;
};

type Made = {
  readonly product: RowProduct;
  readonly followers: readonly Follower[];
  readonly dispatch: Dispatch;
};

/** Rows of a product that is computed row by row. */
export const mostLines = 4;
/** Operations that follow one product: more are rare, and each sequence of them is a text of its own. */
const mostFollowers = 2;
/** Numbers of a row that lie in workgroup memory. */
const longestRow = 2048;
/** Storage buffers of one shader, which every implementation has at least. */
const mostBuffers = 8;

/**
 * Products of few rows, as decoding has them, that are recorded and not yet submitted. An activation, a sum with another
 * tensor, or a copy into a cache that follows is then computed by the product's dispatch, which stores both results: a
 * dispatch costs more than such an operation.
 */
export class RowProducts {
  /** By the buffer of their results. */
  readonly #made = new WeakMap<GpuBuffer, Made>();
  /** By the buffer of their rows. */
  readonly #norms = new WeakMap<GpuBuffer, { readonly dispatch: Dispatch; readonly norm: RowNorm }>();

  /** Remembers a norm, which the first product that reads its rows takes over. */
  noteNorm(dispatch: Dispatch, norm: RowNorm): void {
    if (norm.lines <= mostLines && norm.length <= longestRow)
      this.#norms.set(dispatch.writes[0]!, { dispatch, norm });
  }

  /**
   * Records a product.
   *
   * @param rows - Buffer of its rows, where they fill it.
   * @param make - The product, of rows as they are or with the norm that makes them.
   */
  record({ engine }: Context, rows: GpuBuffer | undefined, make: (norm?: RowNorm) => RowProduct): void {
    const known = rows && this.#norms.get(rows);
    if (known) {
      this.#norms.delete(rows);
      const product = make(known.norm);
      const dispatch = dispatchOf(product, []);
      if (engine.extend(known.dispatch, dispatch, rows)) {
        this.#made.set(product.results, { product, followers: [], dispatch });
        return;
      }
    }
    const product = make();
    const dispatch = dispatchOf(product, []);
    engine.record(dispatch);
    this.#made.set(product.results, { product, followers: [], dispatch });
  }

  /** True for the results of a product. */
  has(results: GpuBuffer | undefined): results is GpuBuffer {
    return results !== undefined && this.#made.has(results);
  }

  /** Adds a follower to the product whose results lie in a buffer. False: there is none, or it cannot be changed anymore. */
  follow({ engine }: Context, results: GpuBuffer, follower: Follower): boolean {
    const made = this.#made.get(results);
    if (!made) return false;
    const { product, dispatch: old } = made;
    const followers = [...made.followers, follower];
    if (followers.length > mostFollowers) return false;
    if (old.reads.length + old.writes.length + follower.reads.length + 1 > mostBuffers) return false;
    const dispatch = dispatchOf(product, followers);
    if (!engine.extend(old, dispatch, results)) return false;
    this.#made.set(results, { product, followers, dispatch });
    return true;
  }
}

function dispatchOf(product: RowProduct, followers: readonly Follower[]): Dispatch {
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
