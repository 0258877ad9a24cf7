export const about =
  "A step of LoRA beside one of all weights, on an otherwise idle machine: at most 0.75 of its time and 0.05 of its optimizer state (about half a minute).";
export const steps = [
  { name: "build", command: ["turbo", "run", "build", "--filter=@qkv/worker"] },
  { name: "lora", command: ["node", "scripts/training/lora.mjs"], counts: true },
];
