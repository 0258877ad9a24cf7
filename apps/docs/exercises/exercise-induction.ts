import type { Exercise } from "../src/live/exercise";

export default {
  hint: "After “A B … A”, the head looks for the token after the earlier A. The code adds the weight on the earlier A itself.",
  solution: [{ find: "weights[t]![s]!", replace: "weights[t]![s + after]!" }],
  because:
    "This is the prefix-matching score of the paper, and what `induction` measures. A head that looks at the copies themselves also exists: a duplicate-token head.",
  wrong: [
    {
      says: "the previous token of the copy",
      edits: [{ find: "weights[t]![s]!", replace: "(weights[t]![s - after] ?? 0)" }],
    },
    {
      says: "only the last copy",
      edits: [
        { find: "for (const s of copies)", replace: "for (const s of copies.slice(-1))" },
        { find: "weights[t]![s]!", replace: "weights[t]![s + after]!" },
      ],
    },
    {
      says: "only the first copy",
      edits: [
        { find: "for (const s of copies)", replace: "for (const s of copies.slice(0, 1))" },
        { find: "weights[t]![s]!", replace: "weights[t]![s + after]!" },
      ],
    },
    {
      says: "the mean over all tokens",
      edits: [
        { find: "sum / count", replace: "sum / ids.length" },
        { find: "weights[t]![s]!", replace: "weights[t]![s + after]!" },
      ],
    },
    {
      says: "the mean over copies",
      edits: [
        { find: "count += 1", replace: "count += copies.length" },
        { find: "weights[t]![s]!", replace: "weights[t]![s + after]!" },
      ],
    },
    {
      says: "the weight that the copy has on this token",
      edits: [{ find: "weights[t]![s]!", replace: "weights[s]![t]!" }],
    },
    {
      says: "the largest weight in place of the sum",
      edits: [
        {
          find: "for (const s of copies) sum += weights[t]![s]!;",
          replace: "sum += Math.max(...copies.map((s) => weights[t]![s + after]!));",
        },
      ],
    },
  ],
  next: {
    task: "Now score a head that looks two tokens after a copy, for any distance `after`.",
    edits: [{ find: "const after = 1;", replace: "const after = 2;" }],
    solution: [{ find: "weights[t]![s]!", replace: "weights[t]![s + after]!" }],
  },
} satisfies Exercise;
