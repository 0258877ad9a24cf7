// Twenty greedy samples as Markdown, as they come: `node samples.mjs`. Each is what
// `qkv generate --prompt "…" --temperature 0` prints.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const qkv = fileURLToPath(new URL("../../cli/dist/qkv.js", import.meta.url));
const prompts = [
  "Once upon a time",
  "There was once a little girl named Mia.",
  "Tom had a red ball.",
  "One rainy day, Anna",
  "It was Ben's birthday.",
  "Lucy and Max were best friends.",
  "The teacher asked",
  "There was a little fox named Pip.",
  "The mouse and the bear had a race.",
  "When Nora woke up, everything was white.",
  "Zoe wanted to make soup for her mother.",
  "Sam was afraid of the dark.",
  "On Monday, Rosa went to the market with her father.",
  "The old king",
  "The cat sat on the",
  "The book that the boy found",
  "Two and three make",
  "The opposite of hot is",
  "What does the cow say?",
  "Today is Friday. Tomorrow is",
];
for (const prompt of prompts) {
  const args = [qkv, "generate", "--prompt", prompt, "--temperature", "0", "--max-tokens", "240"];
  const { stdout, status, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  console.log(`1. **${prompt}**${stdout.slice(prompt.length).trimEnd()}`);
}
