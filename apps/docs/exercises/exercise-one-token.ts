import type { Exercise } from "../src/live/exercise";

export default {
  hint: "The cache already holds the earlier tokens. Which token has the model not seen yet?",
  solution: [{ find: "text.slice(0, n)", replace: "text.slice(n - 1, n)" }],
  because: "Each call gets one new token. The keys and values of the others are in the cache.",
  next: {
    task: "Now the first four tokens arrive at once, like a prompt.",
    edits: [{ find: "for (let n = 1;", replace: "for (let n = 4;" }],
    solution: [{ find: "text.slice(0, n)", replace: "text.slice(cache.length, n)" }],
  },
} satisfies Exercise;
