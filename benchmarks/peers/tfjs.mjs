// A contender with TensorFlow.js on its WASM backend (XNNPACK). It has no threads in Node.

/** @param build - `(tf) => () => tensor`: the timed function, on tensors created once. */
export function tfjs(build, { variant = "", compared = (output) => output } = {}) {
  return {
    name: variant ? `tfjs-wasm, ${variant}` : "tfjs-wasm",
    kind: "peer",
    resident: "all",
    async prepare(context) {
      const tf = await openTfjs(context);
      const compute = build(tf);
      return {
        threads: context.browser ? context.threads : 1,
        call: () => tf.dispose(compute()),
        output() {
          const result = compute();
          const data = result.dataSync().slice();
          result.dispose();
          return compared(data);
        },
      };
    },
  };
}

export async function openTfjs({ threads, browser }) {
  const loaded = await import("@tensorflow/tfjs");
  const tf = loaded.default ?? loaded;
  const backend = await import("@tensorflow/tfjs-backend-wasm");
  const { setWasmPaths, setThreadsCount } = backend.setWasmPaths ? backend : backend.default;
  if (browser) {
    setWasmPaths("/node_modules/@tensorflow/tfjs-backend-wasm/dist/");
    setThreadsCount(threads);
  }
  if (!(await tf.setBackend("wasm"))) throw new Error("tfjs: its WASM backend did not start");
  await tf.ready();
  return tf;
}
