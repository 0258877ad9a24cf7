/** The folders of the published packages, in the order in which a reader meets them. */
export const packageOrder = [
  "attention",
  "tensor",
  "wasm",
  "webgpu",
  "device",
  "gpu",
  "kv-cache",
  "attention-contract",
  "tokenizer",
  "transformer",
  "cost",
  "viz",
  "figures",
  "model-tiny",
  "cli",
  "core",
];
