// A contender with onnxruntime: a model of onnx.mjs. Its inputs and outputs are arrays, which its WASM backend copies
// in each call; only the constants of the model are resident.

/**
 * @param build - `(context) => ({ model: bytes, feeds: { name: [type, shape, data] } })`. `variant` is appended to the name.
 * @param options - `resident`: "state" if the model contains weights or a cache. Default "nothing".
 */
export function onnxruntime(
  kind,
  build,
  { variant = "", compared = (output) => output, resident = "nothing" } = {},
) {
  const name = kind === "native" ? "onnxruntime-node" : "onnxruntime-web";
  return {
    name: variant ? `${name}, ${variant}` : name,
    kind,
    resident,
    async prepare(context) {
      const { model, feeds } = build(context);
      const { session, ort } = await openSession(kind, model, context);
      const inputs = Object.fromEntries(
        Object.entries(feeds).map(([input, [type, shape, data]]) => [
          input,
          new ort.Tensor(type, data, shape),
        ]),
      );
      return {
        threads: context.threads,
        call: () => session.run(inputs),
        output: async () => compared((await session.run(inputs))[session.outputNames[0]].data),
      };
    },
  };
}

/** A session with this many threads. */
export async function openSession(kind, model, { threads, browser }) {
  if (kind === "native") {
    const { default: ort } = await import("onnxruntime-node");
    const session = await ort.InferenceSession.create(model, {
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      logSeverityLevel: 3,
    });
    return { session, ort };
  }
  // It starts its workers from its own file, which must not be bundled.
  const file = browser ? "/node_modules/onnxruntime-web/dist/ort.wasm.bundle.min.mjs" : "onnxruntime-web";
  const loaded = await import(file);
  const ort = loaded.InferenceSession ? loaded : loaded.default;
  ort.env.wasm.numThreads = threads;
  ort.env.logLevel = "error";
  const session = await ort.InferenceSession.create(model, {
    executionProviders: ["wasm"],
    logSeverityLevel: 3,
  });
  return { session, ort };
}
