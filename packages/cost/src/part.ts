import type { Norm } from "./model-shape.js";

/** One pass of a model. Lengths in tokens. */
export type Run = {
  readonly batchSize: number;
  /** T: tokens of each sequence that the pass computes. */
  readonly queryLength: number;
  /** S: tokens of each sequence after the pass, which queries attend to. */
  readonly keyLength: number;
  /** Tokens that the encoder of an encoder-decoder reads. */
  readonly sourceLength: number;
  /** True if the encoder runs in this pass. */
  readonly encodes: boolean;
  /** Tokens of each sequence that get logits. */
  readonly outputLength: number;
  /** Tile size of the attention kernel; see {@link pairsSeen}. */
  readonly tileSize: number;
  /** Computation of latent attention; `cheapest`: the one with fewer FLOPs. */
  readonly latent: "naive" | "absorbed" | "cheapest";
};

/** Work of one part of one layer in a pass. Sizes in elements, not bytes. */
export type Work = {
  readonly flops: number;
  /** Weights that are read. */
  readonly weights: number;
  /** Activations that are read and written. */
  readonly activations: number;
  /** Elements that are read from and written to the cache. */
  readonly cache: number;
  /** Operations (kernel launches). */
  readonly calls: number;
};

/** A part of a model: its parameters, and its work in a pass. */
export type Part = {
  readonly name: string;
  readonly parameters: number;
  /** Active parameters of one token: fewer in a mixture of experts. */
  readonly activeParameters: number;
  work(run: Run): Work;
};

/** Number of rows of a pass that go through a part. */
export type Rows = (run: Run) => number;

/** Rows of the tokens that are computed. */
export const tokenRows: Rows = ({ batchSize, queryLength }) => batchSize * queryLength;
/** Rows of the encoder of an encoder-decoder. */
export const sourceRows: Rows = ({ batchSize, sourceLength, encodes }) =>
  encodes ? batchSize * sourceLength : 0;
/** Rows that get logits. */
export const outputRows: Rows = ({ batchSize, outputLength }) => batchSize * outputLength;

/** A part with a constant work per row, which reads its weights once. */
export function perRow(
  name: string,
  rows: Rows,
  perRowWork: { parameters: number; flops: number; activations: number; calls: number },
): Part {
  return {
    name,
    parameters: perRowWork.parameters,
    activeParameters: perRowWork.parameters,
    work(run) {
      const count = rows(run);
      return {
        flops: count * perRowWork.flops,
        weights: count > 0 ? perRowWork.parameters : 0,
        activations: count * perRowWork.activations,
        cache: 0,
        calls: count > 0 ? perRowWork.calls : 0,
      };
    },
  };
}

/** A linear map `y = x Wᵀ + b`: 2 FLOPs for each weight and row. */
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

/** Learned parameters of a norm per channel. */
const gainsPerChannel = { rms: 1, layer: 2, "layer-without-bias": 1, plain: 0 } as const;

/** A norm of `groups` groups of `width` elements in each row, with the same gains: 4 FLOPs per element for an RMS norm, 8 for a layer norm. */
export function norm(name: string, rows: Rows, kind: Norm, width: number, groups = 1): Part {
  return perRow(name, rows, {
    parameters: gainsPerChannel[kind] * width,
    flops: (kind === "rms" ? 4 : 8) * width * groups,
    activations: 2 * width * groups,
    calls: 1,
  });
}

/** Token shift of RWKV: for each of `maps` linear maps, a learned interpolation of a row and the row before it. The last row is cached. */
export function tokenShift(name: string, rows: Rows, width: number, maps: number): Part {
  const interpolation = perRow(name, rows, {
    parameters: maps * width,
    flops: (1 + 2 * maps) * width,
    activations: (2 + maps) * width,
    calls: 1 + 2 * maps,
  });
  return {
    ...interpolation,
    work: (run) => ({ ...interpolation.work(run), cache: 2 * run.batchSize * width }),
  };
}

/** An elementwise operation on rows of `width` elements, such as a sum or an activation, with `flops` per element. */
export function pointwise(name: string, rows: Rows, width: number, inputs: 1 | 2, flops = 1): Part {
  return perRow(name, rows, {
    parameters: 0,
    flops: flops * width,
    activations: (inputs + 1) * width,
    calls: width > 0 ? 1 : 0,
  });
}

/** An embedding lookup: 0 FLOPs, and only the looked-up rows are read. */
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
