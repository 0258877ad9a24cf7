// The memory layouts that TypeScript writes and AssemblyScript reads, and their shared constants. From it, layout.mjs generates a class to
// read each structure, a function to write it, and the enumerations and constants of both languages.
import { functions } from "./elementwise-kernels.mjs";

/**
 * Structures of 32-bit words. A field has a type and, if its name does not say it, a description of its contents. `strided 4` is a
 * tensor of four axes: the address of its first element and its strides in elements, all 0 if there is none.
 */
export const structures = {
  AttentionRequest: {
    about:
      "One call of attention. KeyValueSegments follow: of keys, of values, and for backward of the gradients of both.",
    fields: {
      heads: "i32",
      queries: "i32",
      keys: "i32",
      dim: "i32",
      valueDim: "i32",
      group: ["i32", "Query heads per key-value head."],
      scale: "f32",
      softcap: ["f32", "0: off."],
      rows: ["i32", "The tile plan: tiles along queries."],
      columns: ["i32", "Tiles along keys."],
      planBatch: ["i32", "Stride of a batch, in tiles; 0: all batches share them."],
      planHead: ["i32", "Stride of a head, in tiles; 0: all heads share them."],
      classes: "usize",
      bitsAt: "usize",
      bits: "usize",
      query: "strided 4",
      output: "usize",
      lse: "usize",
      scoreMod: ["usize", "A Program; 0: none."],
      weightMod: ["usize", "A Program; 0: none."],
      sinks: ["usize", "0: none."],
      sinkStep: "i32",
      firstQueries: ["usize", "Position of each batch's first query."],
      positions: ["usize", "Positions of the keys; 0: they are consecutive from `firstKey` on."],
      positionBatch: ["i32", "Stride of a batch in `positions`."],
      firstKey: "i32",
      dOutput: ["strided 4", "Gradient of the output."],
      dLse: ["strided 3", "Gradient of the log-sum-exp."],
      dQuery: ["usize", "Contiguous."],
      dSinks: ["usize", "One number for each batch and head."],
      dTables: ["usize", "float64 sums of the gradients of both programs' tables."],
      dTableStep: ["i32", "Stride of an item in `dTables`; 0: all items share the sums."],
      partials: ["usize", "Partial results (m, l, o) of the chunks of keys in decoding."],
      chunkTiles: ["i32", "Tiles of a chunk of keys in decoding."],
      partialBytes: [
        "i32",
        "Bytes of one partial result: whole cache lines, since another thread may write the next.",
      ],
      segments: ["i32", "Segments of keys."],
    },
  },
  KeyValueSegment: {
    about: "Keys or values of consecutive tokens: a tensor, or paged blocks.",
    fields: {
      length: ["i32", "Tokens."],
      data: [
        "strided 4",
        "If paged, the stride of the first axis is that of a block. int8 if there is a scale.",
      ],
      table: [
        "usize",
        "Block table, `blocks` entries per batch, one for each `blockLength` tokens; 0: a single tensor.",
      ],
      blocks: "i32",
      blockLength: "i32",
      scale: ["strided 4", "Scales of the data, by block."],
    },
  },
  Program: {
    about: "An expression of scores. Its Steps follow.",
    fields: {
      count: ["i32", "Steps."],
      tableSize: ["i32", "Total length of all tables."],
    },
  },
  Step: {
    about: "One step of an expression.",
    fields: {
      op: ["i32", "A StepCode."],
      level: ["i32", "A Level."],
      active: ["i32", "1 if it depends on the score or on a table, so that it has a gradient."],
      a: ["i32", "Registers of its operands: a, b, c, d."],
      b: "i32",
      c: "i32",
      d: "i32",
      i: ["i32", "Further integers: i, j, k."],
      j: "i32",
      k: "i32",
      number: "f32",
    },
  },
  ScanRequest: {
    about: "One call of a scan, a linear recurrence. A row is a token.",
    fields: {
      heads: "i32",
      tokens: "i32",
      keyDim: "i32",
      valueDim: "i32",
      states: ["i32", "Heads of all batches."],
      statesPerItem: "i32",
      chunk: ["i32", "Tokens of a chunk, at most `scanTokens`; 1: token by token."],
      readsBefore: ["i32", "1 if a query reads the state before its own step."],
      scale: ["f32", "Factor of the outputs."],
      query: "strided 4",
      key: "strided 4",
      value: "strided 4",
      decay: ["strided 4", "Natural logarithms of the decays, one for each head and token; none: no decay."],
      erase: ["strided 4", "None: nothing is erased."],
      erasesAfter: ["i32", "1 if the erased part is read from the state after the decay."],
      beta: ["strided 4", "Factor of each token's value and erased part; none: 1."],
      initialState: "strided 4",
      output: ["usize", "Contiguous."],
      finalState: ["usize", "Contiguous."],
    },
  },
  StridedLoop: {
    about: "An elementwise function. The LoopAxes of the axes outside of a row follow, the innermost first.",
    fields: {
      op: ["i32", "An index in `functions`."],
      alpha: "f32",
      n: ["i32", "Length of a row."],
      rows: "i32",
      rowsPerItem: "i32",
      chunk: ["i32", "Numbers of a row per work item."],
      y: ["usize", "The output, contiguous."],
      a: ["usize", "Inputs, with strides along a row."],
      aStep: "i32",
      b: "usize",
      bStep: "i32",
      c: "usize",
      cStep: "i32",
      rank: ["i32", "LoopAxes."],
    },
  },
  LoopAxis: {
    about: "An axis of a StridedLoop: its length, and the stride of each input.",
    fields: { length: "i32", aStep: "i32", bStep: "i32", cStep: "i32" },
  },
};

/** First codes of steps with one operand, and with two. */
const [unary, binary] = [16, 32];
const from = (first, names) => Object.fromEntries(names.map((name, n) => [name, first + n]));

export const enumerations = {
  StepCode: {
    ...{ score: 0, number: 1, batch: 2, head: 3, query: 4, key: 5 },
    ...{ where: 6, index: 7, lookup: 8, dropoutQueries: 9, dropoutMask: 10, pow: 11 },
    ...from(unary, ["neg", "abs", "exp", "log", "tanh", "sqrt", "floor", "not"]),
    ...from(binary, ["add", "sub", "mul", "div", "min", "max"]),
    ...from(binary + 6, ["less", "lessEqual", "greater", "greaterEqual", "equal", "and", "or"]),
  },
  /** Level of a step: evaluated once per head, once per row of queries, or for each score. */
  Level: { head: 0, query: 1, score: 2 },
};

export const constants = {
  firstUnary: [unary, "The first StepCode with one operand."],
  firstBinary: [binary, "The first StepCode with two operands."],
  scanTokens: [64, "Tokens of a chunk of a scan, at most."],
  blockBytes: [4096, "Bytes of a block that an elementwise function copies to make it contiguous."],
  packedColumns: [128, "Columns of b that an item of a large product packs."],
  blockRows: [6, "Rows of a block of activations in integers."],
  lastBlockRows: [4, "Rows of the last blocks, and of blocks of floats."],
};

/** Names of elementwise functions, in the order of the kernels' cases: an op is an index in one of these lists. */
export const lists = functions;
