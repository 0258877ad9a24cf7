import type { Change } from "../src/live/change";

export default [
  {
    label: "Double the latent",
    edits: [{ find: "kvRank: 8", replace: "kvRank: 16" }],
    says: "A token now takes 18 numbers, and both forms still agree.",
    outcome: ({ checks }) => checks["both forms agree"] === true && checks["10 numbers are stored"] === false,
  },
] satisfies readonly Change[];
