export const about =
  "Hostile files: 1,000,000 changed files through each reader. Tokenizers: 100,000 random strings of all planes against tiktoken, and against the native tokenizers if npm installs it.";

export const steps = [
  { name: "build", command: ["turbo", "run", "build", "--filter=./packages/*"] },
  { name: "files", command: ["node", "scripts/fuzz/files.mjs"], counts: true },
  { name: "tokenizers", command: ["node", "scripts/fuzz/tokenizers.mjs"], counts: true },
];
