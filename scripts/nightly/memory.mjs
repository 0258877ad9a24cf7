export const about =
  "The peak of loading a checkpoint of 1 GB in bfloat16 shards on wasm: the whole process holds less than 1.2 times the bytes of its files, as they are and rounded to 8 and 4 bits.";
export const steps = [
  {
    name: "build",
    command: ["turbo", "run", "build", "--filter=@qkv/transformer", "--filter=@qkv/wasm"],
  },
  { name: "load", command: ["node", "scripts/flat/load.mjs"], counts: true },
];
