import type { Change } from "../src/live/change";

export default [
  {
    label: "Remove the bonus",
    edits: [{ find: "bonus: full([1, 1], bonus)", replace: "bonus: full([1, 1], 0 * bonus)" }],
    says: "A token no longer reads what it writes itself: the diagonal is empty.",
    outcome: ({ checks }) => checks["a token's weight for itself is the bonus"] === false,
  },
] satisfies readonly Change[];
