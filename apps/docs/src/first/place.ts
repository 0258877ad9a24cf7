/** Place of the first page’s model: the device that is fastest for it here, or one that the reader has chosen. */
export type Place = "fastest" | "webgpu" | "wasm" | "js";

/** Places, as a reader chooses among them. */
export const placeNames: Readonly<Record<Place, string>> = {
  fastest: "Fastest here",
  webgpu: "WebGPU",
  wasm: "WebAssembly",
  js: "JavaScript",
};

/** The name of a device in words. */
export const deviceWords = (name: string): string => placeNames[name.split(",")[0] as Place] ?? name;
