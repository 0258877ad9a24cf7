import type { Change } from "../src/live/change";

export default [
  {
    label: "Score by the norm of the key",
    edits: [
      { find: "import { tova }", replace: "import { keyNorm }" },
      { find: "const score = tova();", replace: "const score = keyNorm();" },
    ],
    says: "The norm of a key does not know the query: token 4 has the longest key, and now the lowest score.",
    outcome: ({ checks }) => checks["token 4 has the highest score"] === false,
  },
] satisfies readonly Change[];
