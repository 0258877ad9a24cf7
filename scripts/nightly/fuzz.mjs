export const about =
  "Tokenizers: 100,000 random strings of all planes against tiktoken, and against the native tokenizers if npm installs it.";

export const steps = [
  { name: "build", command: ["turbo", "run", "build", "--filter=@qkv/tokenizer"] },
  { name: "tokenizers", command: ["node", "scripts/fuzz/tokenizers.mjs"], counts: true },
];
