export const about =
  "Other engines that ours hands over to and back: @huggingface/transformers, llama.cpp (installs 600 MB).";

export const steps = [{ name: "interop", command: ["node", "scripts/interop.mjs"], counts: true }];
