export const about =
  "The peak of loading a checkpoint of 1 GB in bfloat16 shards on wasm: the whole process holds less than 1.2 times the bytes of its files, as they are and rounded to 8 and 4 bits; what stays allocated after load, generate and close on each device and in a worker.";
export const steps = [
  {
    name: "build",
    command: ["turbo", "run", "build", "--filter=@qkv/worker"],
  },
  { name: "load", command: ["node", "scripts/flat/load.mjs"], counts: true },
  { name: "what stays", command: ["node", "scripts/flat/stays.mjs"], counts: true },
];
