import type { Exercise } from "../src/live/exercise";

export default {
  hint: "A residual keeps the input: add(x, …). A norm keeps what is added small: normed(…). Where does each of the two go?",
  solution: [{ find: "matmul(x, weight);", replace: "add(x, matmul(normed(x), weight));" }],
  because:
    "This is the layer of today’s models: the norm stands before the part, and the residual passes by it.",
  next: {
    task: "Keep the numbers at a size of 1, and at least 1% of the input in the output: as the first transformer did it.",
    edits: [
      {
        find: 'check("the numbers stay small", size(output) < 10);\ncheck("each token is still itself, 24 layers later", shared > 0.1);',
        replace:
          'check("the numbers have a size of 1", Math.abs(size(output) - 1) < 0.01);\ncheck("some of the input is left, 24 layers later", shared > 0.01);',
      },
    ],
    solution: [{ find: "matmul(x, weight);", replace: "normed(add(x, matmul(x, weight)));" }],
  },
} satisfies Exercise;
