/** Instruction set of the kernels: SIMD, or `relaxed` SIMD, which has a fused multiply-add. */
export type WasmBuild = "plain" | "relaxed";

/** The kernels' binaries, and the URL of the worker's code if it is fetched. */
export type Sources = {
  binary(build: WasmBuild): Promise<Uint8Array<ArrayBuffer>>;
  workerUrl?: string | URL | undefined;
};

/** Binaries bundled as text in modules of the package: nothing has to be served, and only the selected build is loaded. */
export const bundled: Sources = {
  async binary(build) {
    const { binary } =
      build === "relaxed" ? await import("./binaries/relaxed.js") : await import("./binaries/plain.js");
    const packed = Uint8Array.from(atob(binary), (character) => character.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  },
};
