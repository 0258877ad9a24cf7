export const about =
  "Hostile files: 1,000,000 changed files, or as many as are named, through each reader. Tokenizers: 100,000 random strings of all planes against tiktoken, and against the native tokenizers if npm installs it.";
export const takes = "[INPUTS]";

export const steps = ([inputs = "1000000"]) => [
  { name: "build", command: ["turbo", "run", "build", "--filter=./packages/*"] },
  { name: "files", command: ["node", "scripts/fuzz/files.mjs", inputs], counts: true },
  { name: "tokenizers", command: ["node", "scripts/fuzz/tokenizers.mjs"], counts: true },
];
