/**
 * Where the layers meet: what a device, a mask, a cache and the one fused operation are to each other. Types only.
 */
import type { DType, TypedArray } from "./dtype.js";
import type { Expression } from "./expressions/expression.js";
import type { Tensor } from "./tensor.js";

/** What a device knows of one allocation. Host devices hold a typed array; others what they need. */
export type Storage = { readonly dtype: DType; readonly length: number };

/** How a kernel reads a tensor: element `(i, j)` is `array[offset + i * strides[0] + j * strides[1]]`. */
export type View = {
  readonly array: TypedArray;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly offset: number;
};

/**
 * A kernel computes outputs from inputs. It is called with shapes already checked; outputs are packed row-major
 * and zeroed. A device's kernel may return `false` before it has written anything: the plain kernel runs then.
 */
export type Kernel<Attributes = unknown> = (
  inputs: readonly View[],
  outputs: readonly View[],
  attributes: Attributes,
) => unknown;

/** A device's faster kernels, by op name. What it lacks runs the op's plain kernel. */
export type Kernels = { readonly [op: string]: Kernel<never> };

export type DeviceReport = {
  readonly name: string;
  /** How often each op ran: on a kernel of the device, and on the plain kernel. */
  readonly calls: Readonly<Record<string, { device: number; plain: number }>>;
};

/** Bytes allocated now and at most, where the device can tell; the plain device leaves memory to the collector. */
export type DeviceMemory = { readonly bytes: number | undefined; readonly peakBytes: number | undefined };

export type Device = {
  readonly name: string;
  readonly kernels: Partial<Kernels>;
  /** Runs `f`; intermediate tensors made inside belong to the scope, and what `f` returns leaves it. Synchronous. */
  scope<T>(f: () => T): T;
  /** Runs `f` so that scopes inside of it keep what backward will need for the scope around. */
  recording<T>(f: () => T): T;
  /** Takes an allocation out of every scope: caches and optimizer state live as long as they are used. */
  keep(storage: Storage): void;
  report(): DeviceReport;
  memory(): DeviceMemory;
  /** A zeroed allocation. */
  allocate(dtype: DType, length: number): Storage;
  /** Takes host numbers in: the plain device keeps the array, others copy it. No scope owns the result. */
  adopt(dtype: DType, array: TypedArray): Storage;
  /** The numbers of an allocation, in place on host devices. */
  array(storage: Storage): TypedArray;
  /** Counts one run of an op, for the report. */
  note(op: string, ranOn: "device" | "plain"): void;
};

/** An inclusive range of positions. */
export type Range = { readonly first: number; readonly last: number };

/** How much of a tile of queries × keys a mask lets through. `some` is always allowed as an answer. */
export type TileClass = "none" | "some" | "all";

/** The lengths that a mask is applied to. Queries are the last `queryLength` of `keyLength` positions. */
export type Extent = { readonly queryLength: number; readonly keyLength: number };

/**
 * Which keys may a query see? A value that combines with others. Positions are absolute places in the sequence,
 * whatever part of it is stored.
 */
export type Mask = {
  /** How it was written: `slidingWindow(256)`. */
  readonly name: string;
  readonly perBatch: boolean;
  readonly perHead: boolean;
  /** Fixes the extent, which some masks need: a top-left alignment, padding lengths. */
  bind(extent: Extent): BoundMask;
};

export type BoundMask = {
  sees(query: number, key: number, batch: number, head: number): boolean;
  tile(query: Range, key: Range, batch: number, head: number): TileClass;
};

/**
 * A mask over the tiles of one call: what kernels walk. Made once per mask and extent, and shared by layers. A tile of
 * class 0 is never read, one of class 2 needs no test, one of class 1 has a bit for each query and key.
 */
export type TilePlan = {
  /** Queries and keys of one tile. Tiles at the ends are shorter. */
  readonly queryTile: number;
  readonly keyTile: number;
  /** Tiles along queries and keys. */
  readonly rows: number;
  readonly columns: number;
  /** 1 where the mask does not look at the batch or the head. */
  readonly batches: number;
  readonly heads: number;
  /** [batches, heads, rows, columns]: 0 none, 1 some, 2 all. */
  readonly classes: Uint8Array;
  /** [batches, heads, rows, columns]: where the bits of a "some" tile begin. */
  readonly bitsAt: Uint32Array;
  /** For each "some" tile, queryTile rows of keyTile bits, 32 to a word, the lowest first. */
  readonly bits: Uint32Array;
};

/**
 * What one call of attention is, besides its tensors: the attributes of `kernels.attention`. Inputs are query, the key
 * parts, the value parts, the tables that the expressions look up, and sinks; outputs are the mixture, the logarithm of
 * the sum, and what is wanted.
 */
export type AttentionRequest = {
  /** Number of key parts, and of value parts. */
  readonly parts: number;
  readonly positions: KeyValues["positions"];
  /** Position of the first query. */
  readonly firstQuery: number;
  readonly plan: TilePlan;
  readonly scale: number;
  /** 0: off. */
  readonly softcap: number;
  readonly scoreMod: Expression | undefined;
  readonly weightMod: Expression | undefined;
  readonly hasSinks: boolean;
};

/**
 * Keys and values as attention reads them: parts in order of position, read in place. `positions` says where the
 * keys stand in the sequence: from `start` on without gaps, or one by one ([S], or [B, S] row-major).
 */
export type KeyValues = {
  /** Parts of [B, Hkv, Sᵢ, D]. */
  readonly key: readonly Part[];
  /** Parts of [B, Hkv, Sᵢ, Dv]. */
  readonly value: readonly Part[];
  readonly positions: { readonly start: number } | Int32Array;
};

export type Part = Tensor;

/** What a KV cache is to a layer. */
export type Cache = {
  /** Appends [B, Hkv, T, D] and [B, Hkv, T, Dv] to a layer, in place, and returns all that attention reads. */
  update(layer: number, key: Tensor, value: Tensor): KeyValues;
  /** Tokens seen. */
  readonly length: number;
};

/** The intermediate tensors of attention, by name. */
export type TraceName = "dots" | "capped" | "scores" | "weights" | "lse";
