export const about =
  "memory over long loops: a million small ops, a thousand 1024 x 1024 products (about 8 minutes)";
export const steps = [
  { name: "build", command: ["turbo", "run", "build", "--filter=@qkv/tensor"] },
  { name: "tensor", command: ["node", "scripts/flat/tensor.mjs"], counts: true },
];
