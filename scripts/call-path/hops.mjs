// The functions that a call of attention runs through, in order. `call-path.mjs` finds each in the sources.
const tensor = "packages/tensor/src/";
const contract = "packages/attention-contract/src/";
const attention = "packages/attention/src/";
const wasm = "packages/wasm/src/";
const assembly = "packages/wasm/assembly/";
const gpu = "packages/gpu/src/";
const webgpu = "packages/webgpu/src/kernels/attention/";

/**
 * One function of the path.
 *
 * @typedef {object} Hop
 * @property {string} file
 * @property {string} fn - The function's name; dots separate enclosing names, as in "outer.inner".
 * @property {string} name - The expression in the function that is, or contains, the query or its gradient.
 * @property {string} [calledAs] - The name at the call sites, if it is not the last part of `fn`.
 * @property {string[]} [reads] - Prefixes of further lines to show, besides the signature and the calls of later hops.
 */

/** @type {(file: string, fn: string, name: string, more?: Pick<Hop, "calledAs" | "reads">) => Hop} */
const hop = (file, fn, name, more) => ({ file, fn, name, ...more });

const mapCall = hop(contract + "attention-call.ts", "mapCall", "query", { reads: ["query: f(query)"] });
const input = hop(wasm + "call.ts", "Call.input", "view", { reads: ["return"] });
const writeRequest = hop(wasm + "kernels/attention-request.ts", "writeRequest", "query", {
  reads: ["query,", "return call.write(words)"],
});
const layout = (field) =>
  hop("packages/wasm/schema.mjs", "structures.AttentionRequest", field, {
    calledAs: "attentionRequestWords",
    reads: [`${field}:`],
  });
const parallel = hop(wasm + "threads/single-threaded-engine.ts", "singleThreadedEngine.parallel", "args", {
  reads: ["for (let item"],
});
const packQueries = hop(assembly + "tile.ts", "packQueries", "from", { reads: ["const x", "? load<f32>"] });
const multiplyTile = hop(assembly + "tile.ts", "multiplyTile", "queries", { reads: ["const panel"] });
const withLayout = hop(webgpu + "call-layout.ts", "withLayout", "query", {
  reads: [
    "const contiguousQuery",
    "const rowReaders",
    "const [queryRows",
    "...queryRows.reads",
    "...queryRows.bindings",
  ],
});
const contiguousRows = hop(webgpu + "contiguous-rows.ts", "contiguousRows", "x", {
  reads: ["reads: [store.read(x)", "text: rowText("],
});
const rowText = hop(webgpu + "contiguous-rows.ts", "rowText", "name", {
  reads: ["const start", "return `fn ${name}4"],
});
const plainBackward = [
  hop(attention + "attention-op.ts", "attentionBackwardOp.kernel", "call", { calledAs: "kernel" }),
  mapCall,
  hop(attention + "attention-backward.ts", "attentionBackward", "call", {
    reads: ["keys.addTo(dQuery", "to.query.array.set(dQuery"],
  }),
  hop(attention + "score-tiles.ts", "scoreTiles", "call.query", {
    reads: ["const { array, strides", "for (let d", "dots[n] ="],
  }),
];

/**
 * The sections of the page. A section continues the path of the section named in `after`.
 *
 * @type {{ id: string, after?: string, title: string, about: string, hops: Hop[] }[]}
 */
export const parts = [
  {
    id: "forward",
    title: "Forward, on every device",
    about:
      "The options are checked once and become an `AttentionCall`; the query is `call.query`. `runNamed` creates the outputs and passes the call to the device's kernel. If there is no kernel, or it returns `false`, the plain kernel runs.",
    hops: [
      hop(attention + "attention.ts", "attention", "query"),
      hop(attention + "attention.ts", "checkedCall", "query", { reads: ["checkTensor", "query,"] }),
      hop(tensor + "op.ts", "runNamed", "args", { reads: ["const deviceKernel"] }),
    ],
  },
  {
    id: "back",
    title: "Backward, on every device",
    about:
      "`runNamed` records the call on the tape of `grad`. The backward pass is a named operation, too. It receives the same call, and `to`, a second call of the same form: the gradient of `call.query` is written to `to.query`. `callTensors(to)` returns the gradients in the order of the inputs.",
    hops: [
      hop(tensor + "grad.ts", "pull", "back[input]", { reads: ["from.forEach"] }),
      hop(tensor + "op.ts", "runNamed.backward", "args", { reads: ["...args,"] }),
      hop(attention + "attention-op.ts", "attentionOp.backward", "call"),
      hop(tensor + "op.ts", "runNamed", "args"),
    ],
  },
  {
    id: "js",
    after: "forward",
    title: "`js`: forward",
    about: "The plain kernel is the specification of all others. `mapCall` turns each tensor into a view.",
    hops: [
      hop(attention + "attention-op.ts", "attentionOp.kernel", "call", { calledAs: "kernel" }),
      mapCall,
      hop(attention + "attention-forward.ts", "attentionForward", "call", {
        reads: ["const sink = tiles.selectRow", "const length = tiles.computeScores"],
      }),
      hop(attention + "score-tiles.ts", "scoreTiles", "call.query", {
        reads: ["const { array, strides", "for (let d"],
      }),
      hop(contract + "key-values/stored-rows.ts", "StoredRows.dot", "a", { reads: ["else for"] }),
    ],
  },
  {
    id: "js-back",
    after: "back",
    title: "`js`: backward",
    about: "The same `scoreTiles` recomputes the scores.",
    hops: plainBackward,
  },
  {
    id: "wasm",
    after: "forward",
    title: "`wasm`: forward, two or more queries",
    about:
      "Each tensor gets an address. The call is written to memory as an `AttentionRequest`. The TypeScript writer and the AssemblyScript class are generated from its fields in `schema.mjs`. With several threads, the engine of `threads/pool.ts` runs the same export.",
    hops: [
      hop(wasm + "kernels/attention.ts", "fusedAttention", "deviceCall", { calledAs: "deviceKernel" }),
      mapCall,
      input,
      writeRequest,
      layout("query"),
      parallel,
      hop(assembly + "attention-forward.ts", "attentionForward", "request.query", {
        reads: ["const from"],
      }),
      packQueries,
      multiplyTile,
    ],
  },
  {
    id: "wasm-decode",
    after: "forward",
    title: "`wasm`: forward, one query",
    about:
      "This is a decoding step. `conformance/src/attention-hops.test.ts` reads these functions from the call stack: three of them are between `attention` and the kernel.",
    hops: [
      hop(wasm + "kernels/attention.ts", "fusedAttention", "deviceCall", { calledAs: "deviceKernel" }),
      mapCall,
      input,
      writeRequest,
      layout("query"),
      parallel,
      hop(assembly + "attention-decode.ts", "attentionDecode", "request"),
      hop(assembly + "attention-decode.ts", "begin", "chunk.query"),
      hop(assembly + "attention-decode.ts", "loadQuery", "request.query", {
        reads: ["const from", "const x", "d < request.dim"],
      }),
      hop(assembly + "attention-decode.ts", "scorePage", "chunk.query"),
      hop(assembly + "attention-decode.ts", "scoreFirst", "query"),
      hop(assembly + "attention-decode.ts", "dot", "query", { reads: ["for (; query < end"] }),
    ],
  },
  {
    id: "wasm-back",
    after: "back",
    title: "`wasm`: backward",
    about: "A work item is one key-value head. The gradient is written to the memory of `to.query`.",
    hops: [
      hop(wasm + "kernels/attention.ts", "fusedAttentionBackward", "deviceCall", {
        calledAs: "deviceKernel",
        reads: ["dQuery: gradients.query"],
      }),
      mapCall,
      input,
      { ...writeRequest, reads: ["query,", "dQuery:"] },
      layout("dQuery"),
      parallel,
      hop(assembly + "attention-backward.ts", "attentionBackward", "request"),
      hop(assembly + "attention-backward.ts", "queryTile", "request.dQuery", {
        reads: ["memory.copy(to"],
      }),
      hop(assembly + "attention-backward.ts", "loadQueries", "request.query", {
        reads: ["const from", "request.query +"],
      }),
      packQueries,
      hop(assembly + "attention-backward.ts", "processTiles", "dQueryAt", { reads: ["accumulateValues"] }),
      multiplyTile,
    ],
  },
  {
    id: "gpu-scalar",
    after: "forward",
    title: "`gpu`, mode `webasm`: forward",
    about:
      "The kernel is JavaScript source text that gpu.js compiles. In it, `query` is the name of an input.",
    hops: [
      hop(gpu + "scalar/attention.ts", "attentionKernel", "call", { calledAs: "deviceKernel" }),
      hop(gpu + "scalar/attention.ts", "attend", "query", {
        reads: [
          "query: queryView",
          "const query =",
          "sum += query[",
          "inputs: { query:",
          "ints: { ...length, queryStart",
        ],
      }),
      hop(gpu + "scalar/attention.ts", "rowsOf", "first", {
        reads: ["return { buffer: store.bufferOf(first)"],
      }),
    ],
  },
  {
    id: "gpu-webgl2",
    after: "forward",
    title: "`gpu`, mode `webgl2`: forward",
    about: "The kernel is GLSL source text. In it, `query` is the name of a texture.",
    hops: [
      hop(gpu + "webgl2/kernels/attention.ts", "attentionKernel", "call", { calledAs: "deviceKernel" }),
      hop(gpu + "webgl2/kernels/attention.ts", "attend", "query", {
        reads: ["query: queryView", "query,"],
      }),
      hop(gpu + "webgl2/kernels/attention.ts", "packedRows", "x", {
        reads: ["return { texture: gl.store.bufferOf(x)"],
      }),
      hop(gpu + "webgl2/kernels/attention.ts", "scoresRun", "query", {
        reads: ['name: "query"', "start: `queryAt", "query: query.texture", "queryAt: query.at"],
      }),
      hop(gpu + "webgl2/dot-rows.ts", "dotRows", "left", {
        reads: ["const rows = left.map", ".map((_, r) => `sum${r}"],
      }),
    ],
  },
  {
    id: "gpu-back",
    after: "back",
    title: "`gpu`: backward",
    about:
      "No mode has an `attentionBackward` kernel: the plain kernel runs, on numbers that the host reads back.",
    hops: plainBackward,
  },
  {
    id: "webgpu",
    after: "forward",
    title: "`webgpu`: forward, more than eight queries",
    about:
      "The kernel is WGSL source text. In it, `query` is the name of a binding, and `query4` a function that reads four numbers of it.",
    hops: [
      hop(webgpu + "attention.ts", "attentionKernel", "call", { calledAs: "deviceKernel" }),
      withLayout,
      contiguousRows,
      rowText,
      hop(webgpu + "record-forward.ts", "recordForward", "layout"),
      hop(webgpu + "record-forward.ts", "recordForwardPass", "layout", {
        reads: ["reads: [...layout.reads"],
      }),
      hop(webgpu + "forward-text.ts", "forwardText", "query4"),
      hop(webgpu + "block-text.ts", "dotsText", "first", { reads: ["${load(first"] }),
    ],
  },
  {
    id: "webgpu-decode",
    after: "forward",
    title: "`webgpu`: forward, up to eight queries",
    about:
      "This is a decoding step. Keys are split over workgroups, which read the query as it is stored; a second dispatch merges their results.",
    hops: [
      hop(webgpu + "attention.ts", "attentionKernel", "call", { calledAs: "deviceKernel" }),
      hop(webgpu + "decode.ts", "decode", "query", { reads: ["const { query"] }),
      hop(webgpu + "stored-text.ts", "storedRows", "segment", {
        reads: ["const data =", "reads: [store.read(data)", "text: `fn ${name}4"],
      }),
      hop(webgpu + "split-text.ts", "splitText", "query4", {
        reads: ["rows[i] = query4", "${each(R, (r) => `let q${r}", "dots${i} +="],
      }),
    ],
  },
  {
    id: "webgpu-back",
    after: "back",
    title: "`webgpu`: backward",
    about:
      "One kernel writes the gradient of the query, in a loop over the keys that each query sees; another loops over the queries for those of keys and values.",
    hops: [
      hop(webgpu + "attention-backward.ts", "attentionBackwardKernel", "call", {
        calledAs: "deviceKernel",
      }),
      withLayout,
      contiguousRows,
      rowText,
      hop(webgpu + "attention-backward.ts", "writeQueryGradient", "dQuery", {
        reads: ["const writes"],
      }),
      hop(webgpu + "backward-text.ts", "queryGradientText", "dQuery"),
      hop(webgpu + "block-text.ts", "storeRowsText", "output"),
    ],
  },
];
