import { numbersAfter, type Change } from "../src/live/change";

export default [
  {
    label: "Use cosine similarity",
    edits: [{ find: "qkNorm: qkNorm() }", replace: 'qkNorm: qkNorm("l2"), scale: 10 }' }],
    says: 'With "l2", the scores are cosines between −1 and 1, so the layer needs its own scale, the inverse temperature: here 10.',
    outcome: ({ lines }) => numbersAfter(lines, "scaling by 6 changes the weights by ")[1]! < 1e-4,
  },
] satisfies readonly Change[];
