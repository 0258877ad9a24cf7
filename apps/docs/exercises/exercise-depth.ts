import type { Exercise } from "../src/live/exercise";

export default {
  hint: "A residual keeps the input: add(x, …). A norm keeps the added part small: normed(…). Where does each of them go?",
  solution: [{ find: "matmul(x, weight);", replace: "add(x, matmul(normed(x), weight));" }],
  because:
    "Today’s models use this layer: the norm comes before the sublayer, and the residual goes around both.",
  next: {
    task: "Keep the size of the numbers at exactly 1 and the similarity above 0.01, as the first transformer did.",
    edits: [
      {
        find: 'check("the numbers stay small", size(output) < 10);\ncheck("each token can still be recognized after 24 layers", shared > 0.1);',
        replace:
          'check("the numbers have a size of 1", Math.abs(size(output) - 1) < 0.01);\ncheck("some of the input remains after 24 layers", shared > 0.01);',
      },
    ],
    solution: [{ find: "matmul(x, weight);", replace: "normed(add(x, matmul(x, weight)));" }],
  },
} satisfies Exercise;
