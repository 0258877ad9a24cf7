/** The setting of the first page’s device: the fastest, or one that the reader has chosen. */
export type Place = "fastest" | "webgpu" | "wasm" | "js";

/** Labels of the settings. */
export const placeNames: Readonly<Record<Place, string>> = {
  fastest: "Fastest here",
  webgpu: "WebGPU",
  wasm: "WebAssembly",
  js: "JavaScript",
};

/** Label of a device. */
export const deviceWords = (name: string): string => placeNames[name.split(",")[0] as Place] ?? name;
