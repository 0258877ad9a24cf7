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
  /** The encoder runs in this pass. */
  readonly encodes: boolean;
  /** Tokens of each sequence that get logits. */
  readonly outputLength: number;
  /** See {@link pairsSeen}. */
  readonly tileSize: number;
  /** Computation of latent attention; `cheapest`: with fewer operations. */
  readonly latent: "naive" | "absorbed" | "cheapest";
};

/** Work of one part of one layer in a pass. Sizes in numbers, not bytes. */
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

/** Number of rows of a pass that go through a part. */
export type Rows = (run: Run) => number;

/** Rows of the tokens that are computed. */
export const tokenRows: Rows = ({ batchSize, queryLength }) => batchSize * queryLength;
/** Rows of an encoder beside a decoder. */
export const sourceRows: Rows = ({ batchSize, sourceLength, encodes }) =>
  encodes ? batchSize * sourceLength : 0;
/** Rows that get logits. */
export const outputRows: Rows = ({ batchSize, outputLength }) => batchSize * outputLength;

/** A part that does `flops` and moves `activations` for each row, and reads its weights once. */
export function perRow(
  name: string,
  rows: Rows,
  each: { parameters: number; flops: number; activations: number; calls: number },
): Part {
  return {
    name,
    parameters: each.parameters,
    activeParameters: each.parameters,
    work(run) {
      const count = rows(run);
      return {
        flops: count * each.flops,
        weights: count > 0 ? each.parameters : 0,
        activations: count * each.activations,
        cache: 0,
        calls: count > 0 ? each.calls : 0,
      };
    },
  };
}

/** `y = x Wᵀ + b`: two operations for each weight and row. */
export function product(
  name: string,
  rows: Rows,
  { inputs, outputs, bias = false }: { inputs: number; outputs: number; bias?: boolean },
): Part {
  return perRow(name, rows, {
    parameters: inputs * outputs + (bias ? outputs : 0),
    flops: 2 * inputs * outputs + (bias ? outputs : 0),
    activations: inputs + outputs + (bias ? 2 * outputs : 0),
    calls: bias ? 2 : 1,
  });
}

const gains = { rms: 1, layer: 2, "layer-without-bias": 1, plain: 0 } as const;

/** A norm of rows of `width` numbers, or of `groups` of them in each row with the same gains. */
export function norm(name: string, rows: Rows, kind: Norm, width: number, groups = 1): Part {
  return perRow(name, rows, {
    parameters: gains[kind] * width,
    flops: (kind === "rms" ? 4 : 8) * width * groups,
    activations: 2 * width * groups,
    calls: 1,
  });
}

/** Rows mixed with the rows before them, for so many maps, each with its own shares. A cache holds the last row. */
export function tokenShift(name: string, rows: Rows, width: number, maps: number): Part {
  const mixed = perRow(name, rows, {
    parameters: maps * width,
    flops: (1 + 2 * maps) * width,
    activations: (2 + maps) * width,
    calls: 1 + 2 * maps,
  });
  return { ...mixed, work: (run) => ({ ...mixed.work(run), cache: 2 * run.batchSize * width }) };
}

/** One operation for each of `width` numbers of a row: a sum, a product, an activation. */
export function pointwise(name: string, rows: Rows, width: number, inputs: 1 | 2, flops = 1): Part {
  return perRow(name, rows, {
    parameters: 0,
    flops: flops * width,
    activations: (inputs + 1) * width,
    calls: width > 0 ? 1 : 0,
  });
}

/** Rows of a table by index: nothing is computed, and only the rows asked for are read. */
export function lookup(
  name: string,
  rows: Rows,
  table: { rows: number; width: number; shared?: boolean },
): Part {
  const parameters = table.shared ? 0 : table.rows * table.width;
  return {
    name,
    parameters,
    activeParameters: parameters,
    work(run) {
      const count = rows(run);
      return {
        flops: 0,
        weights: Math.min(count, table.rows) * table.width,
        activations: count * table.width,
        cache: 0,
        calls: count > 0 ? 1 : 0,
      };
    },
  };
}
