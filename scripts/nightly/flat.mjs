export const about =
  "Memory: a million small ops and a thousand 1024 x 1024 products in flat memory; attention at T = 4096 without a map; 100,000 decode steps through rolling and paged caches; 10,000 tokens generated through every exact cache; a million calls of the wasm device, alone and on threads; 10,000 calls of attention on gpu:webgl2 in Chromium; the export of a model of 1 GB beside 1.2 times its largest tensor.";
export const steps = [
  {
    name: "build",
    command: [
      "turbo",
      "run",
      "build",
      "--filter=@qkv/attention",
      "--filter=@qkv/kv-cache",
      "--filter=@qkv/transformer",
      "--filter=@qkv/wasm",
      "--filter=@qkv/gpu",
      "--filter=qkv",
    ],
  },
  { name: "tensor", command: ["node", "scripts/flat/tensor.mjs"], counts: true },
  { name: "attention", command: ["node", "scripts/flat/attention.mjs"], counts: true },
  { name: "wasm", command: ["node", "scripts/flat/wasm.mjs"], counts: true },
  {
    name: "generation",
    command: ["node", "--expose-gc", "scripts/flat/generation.mjs"],
    counts: true,
  },
  { name: "caches", command: ["node", "--expose-gc", "scripts/flat/caches.mjs"], counts: true },
  { name: "export", command: ["node", "scripts/flat/export.mjs"], counts: true },
  { name: "gpu", command: ["node", "scripts/flat/gpu.mjs"], counts: true },
];
