import { numbersAfter, type Change } from "../src/live/change";

export default [
  {
    label: "Run it on a T4",
    set: { machine: "T4" },
    says: "No user fits: the weights alone take 16 GB, which is all the memory of a T4.",
    outcome: ({ lines }) => lines.includes("fits 0 tokens per user, or 0 users at this length"),
  },
  {
    label: "Serve Llama 3.2 1B on a T4",
    edits: [
      { find: "hidden_size: 4096", replace: "hidden_size: 2048" },
      { find: "num_hidden_layers: 32", replace: "num_hidden_layers: 16" },
      { find: "intermediate_size: 14336", replace: "intermediate_size: 8192" },
      { find: "vocab_size: 128256,", replace: "vocab_size: 128256,\n  tie_word_embeddings: true," },
    ],
    set: { machine: "T4" },
    says: "1.2 billion parameters leave most of a T4 for the cache: about 50 users with 8,192 tokens each.",
    outcome: ({ lines }) => numbersAfter(lines, "fits ")[1]! >= 45 && numbersAfter(lines, "fits ")[1]! <= 55,
  },
] satisfies readonly Change[];
