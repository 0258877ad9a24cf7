export const about =
  "Memory: a million small ops and a thousand 1024 x 1024 products in flat memory; attention at T = 4096 without a map.";
export const steps = [
  { name: "build", command: ["turbo", "run", "build", "--filter=@qkv/attention"] },
  { name: "tensor", command: ["node", "scripts/flat/tensor.mjs"], counts: true },
  { name: "attention", command: ["node", "scripts/flat/attention.mjs"], counts: true },
];
