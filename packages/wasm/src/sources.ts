/** Instruction set of the kernels. `relaxed`: a product and a sum in one, where the engine knows it. */
export type WasmBuild = "plain" | "relaxed";

/** Sources of the kernels, and the address of the worker's code if it is served. */
export type Sources = {
  binary(build: WasmBuild): Promise<Uint8Array<ArrayBuffer>>;
  workerUrl?: string | URL | undefined;
};

/** From modules of the package that hold them as text: nothing has to be served, and only what is used is loaded. */
export const bundled: Sources = {
  async binary(build) {
    const { binary } =
      build === "relaxed" ? await import("./binaries/relaxed.js") : await import("./binaries/plain.js");
    const packed = Uint8Array.from(atob(binary), (character) => character.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  },
};
