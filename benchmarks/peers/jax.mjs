// A contender with jax-js on its WASM backend. In Node it has no threads, since it needs the Worker of browsers.

/** @param build - `(jax) => ({ compute, inputs })`: a function to compile, and arrays created once. */
export function jax(build, { compared = (output) => output } = {}) {
  return {
    name: "jax-js",
    kind: "peer",
    resident: "all",
    async prepare(context) {
      const library = await openJax();
      const { compute, inputs } = build(library);
      const compiled = library.jit(compute);
      // A call consumes its inputs, unless they are given as references.
      const call = () => compiled(...inputs.map((input) => input.ref));
      return {
        threads: context.browser ? context.threads : 1,
        async call() {
          const result = call();
          await result.blockUntilReady();
          result.dispose();
        },
        output: async () => compared(await call().data()),
      };
    },
  };
}

export async function openJax() {
  const library = await import("@jax-js/jax");
  await library.init("wasm");
  library.defaultDevice("wasm");
  return library;
}
