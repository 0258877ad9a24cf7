/**
 * Where the layers meet: what a device, a mask, a cache and the one fused operation are to each other. Types only.
 */
import type { DType, TypedArray } from "@qkv/core";
import type { Expression } from "./expressions/expression.js";
import type { Tensor } from "./tensor.js";

/** What a device knows of one allocation. Host devices hold a typed array; others what they need. */
export type Storage = { readonly dtype: DType; readonly length: number };

/** How a kernel reads a tensor: element `(i, j)` is `array[offset + i * strides[0] + j * strides[1]]`. */
export type View = {
  /** On a device whose numbers are out of reach, asking for them fetches them. */
  readonly array: TypedArray;
  readonly storage: Storage;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly offset: number;
};

/**
 * A kernel computes outputs from inputs. It is called with shapes already checked; outputs are packed row-major. Those of
 * a plain kernel are zeroed; a device's kernel writes every number, or returns `false`: the plain kernel runs then.
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
  /** A new allocation. What it holds does not matter where `zeroed` is false; default: zeros. */
  allocate(dtype: DType, length: number, zeroed?: boolean): Storage;
  /** Takes host numbers in: the plain device keeps the array, others copy it. No scope owns the result. */
  adopt(dtype: DType, array: TypedArray): Storage;
  /**
   * The numbers of an allocation, in place on host devices. Others fetch them, and take what is written there as the
   * numbers from then on, unless `use` says that nothing is.
   */
  array(storage: Storage, use?: "read"): TypedArray;
  /** Whether numbers are out of the program's reach, so that kernels of the device get no arrays. */
  readonly remote?: true;
  /** The numbers of an allocation of a remote device, without keeping the program waiting. */
  fetch?(storage: Storage): Promise<TypedArray>;
  /** Whether they lie where others will: in memory that moves or is used again. What a program reads is a copy then. */
  lends?(storage: Storage): boolean;
  /** Counts one run of an op, for the report. */
  note(op: string, ranOn: "device" | "plain"): void;
};

/** An inclusive range of positions. */
export type Range = { readonly first: number; readonly last: number };

/** How much of a tile of queries × keys a mask lets through. `some` is always allowed as an answer. */
export type TileClass = "none" | "some" | "all";

/** The lengths that a mask is applied to. Queries are the last `queryLength` of `keyLength` positions. */
export type Extent = {
  readonly queryLength: number;
  readonly keyLength: number;
  /** Batches and heads of the query, where they are known: a mask with a list per batch refuses another number. */
  readonly batches?: number;
  readonly heads?: number;
};

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
  /**
   * How the key parts lie, then the value parts: undefined for a plain tensor. Of a part in blocks the input is the
   * blocks' data; scales come after all other inputs, in the order of their parts. Absent where all are plain.
   */
  readonly layouts?: readonly (BlockLayout | undefined)[];
  readonly positions: KeyValues["positions"];
  /** Position of the first query: one, or one for each batch where batches are of different lengths. */
  readonly firstQuery: number | Int32Array;
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
 * keys stand in the sequence: from `start` on without gaps, or one by one ([S], or [B, S] row-major), where -1 is a
 * place that holds nothing. Queries are the last ones of their batch.
 */
export type KeyValues = {
  /** Parts of [B, Hkv, Sᵢ, D]. */
  readonly key: readonly Part[];
  /** Parts of [B, Hkv, Sᵢ, Dv]. */
  readonly value: readonly Part[];
  readonly positions: { readonly start: number } | Int32Array;
};

/** Keys or values of some tokens: one tensor, or blocks of it in any order. */
export type Part = Tensor | Blocks;

/** Rows that lie in blocks: token s of batch b is row `s % blockLength` of block `table[b, ⌊s / blockLength⌋]`. */
export type Blocks = {
  /** [blocks, Hkv, blockLength, D]. Whole numbers (int8) are multiplied with `scale`. */
  readonly data: Tensor;
  /** What the data are multiplied with, 1 along what shares a scale: [blocks, Hkv, 1, D] or [blocks, Hkv, blockLength, 1]. */
  readonly scale?: Tensor;
  /** [B, blocks of one batch], row-major. */
  readonly table: Int32Array;
  readonly blockLength: number;
  /** Tokens: of all batches, or of each. */
  readonly length: number | Int32Array;
};

/** How one part lies, for kernels. */
export type BlockLayout = {
  readonly table: Int32Array;
  readonly blockLength: number;
  /** Tokens of the longest batch. */
  readonly length: number;
  readonly scaled: boolean;
};

/** What a KV cache is to a layer. */
export type Cache = {
  /** Appends [B, Hkv, T, D] and [B, Hkv, T, Dv] to a layer, in place, and returns all that attention reads. */
  update(layer: number, key: Tensor, value: Tensor): KeyValues;
  /** Tokens seen; of the longest batch, where batches differ. */
  readonly length: number;
  /** Tokens seen, per batch. Absent where batches cannot differ. */
  readonly lengths?: Int32Array;
  /** Whether keys are stored before their rotary turn and turned at each read, by their place in the cache. */
  readonly positionless?: boolean;
};

/** The intermediate tensors of attention, by name. */
export type TraceName = "dots" | "capped" | "scores" | "weights" | "lse";
