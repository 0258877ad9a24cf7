import type { Norm } from "./model-shape.js";
/** One pass of a model: which tokens go through it, and what it may read of earlier ones. Lengths in tokens. */
export type Run = {
  readonly batchSize: number;
  /** T: tokens of each sequence that are computed. */
  readonly queryLength: number;
  /** S: those, and the earlier ones that they attend to. */
  readonly keyLength: number;
  /** Tokens that an encoder reads for a decoder. */
  readonly sourceLength: number;
  /** Whether the encoder runs in this pass. */
  readonly encodes: boolean;
  /** Tokens of each sequence that get logits. */
  readonly outputLength: number;
  /** See {@link pairsSeen}. */
  readonly tileSize: number;
  /** How latent attention is computed; `cheapest`: with fewer operations. */
  readonly latent: "naive" | "absorbed" | "cheapest";
};
/** What one part of one layer does in a pass. Sizes in numbers, not bytes. */
export type Work = {
  readonly flops: number;
  /** Weights read. */
  readonly weights: number;
  /** Numbers between parts, read and written. */
  readonly activations: number;
  /** Numbers of earlier and new tokens read from the cache, and written to it. */
  readonly cache: number;
  /** Operations that a runtime starts. */
  readonly calls: number;
};
/** A part of a model: what it holds, and what it does. */
export type Part = {
  readonly name: string;
  readonly parameters: number;
  /** Parameters that one token passes: fewer where it chooses among experts. */
  readonly activeParameters: number;
  work(run: Run): Work;
};
/** How many rows of a pass go through a part. */
export type Rows = (run: Run) => number;
/** Rows of the tokens that are computed. */
export declare const tokenRows: Rows;
/** Rows of an encoder beside a decoder. */
export declare const sourceRows: Rows;
/** Rows that get logits. */
export declare const outputRows: Rows;
/** `y = x Wᵀ + b`: two operations for each weight and row. */
export declare function product(
  name: string,
  rows: Rows,
  {
    inputs,
    outputs,
    bias,
  }: {
    inputs: number;
    outputs: number;
    bias?: boolean;
  },
): Part;
/** A norm of rows of `width` numbers, or of `groups` of them in each row with the same gains. */
export declare function norm(name: string, rows: Rows, kind: Norm, width: number, groups?: number): Part;
/** One operation for each of `width` numbers of a row: a sum, a product, an activation. */
export declare function pointwise(
  name: string,
  rows: Rows,
  width: number,
  inputs: 1 | 2,
  flops?: number,
): Part;
/** Rows of a table by index: nothing is computed, and only the rows asked for are read. */
export declare function lookup(
  name: string,
  rows: Rows,
  table: {
    rows: number;
    width: number;
    shared?: boolean;
  },
): Part;
