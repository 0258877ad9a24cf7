import { type Change } from "../src/live/change";

export default [
  {
    label: "Print the mask as text",
    edits: [
      { find: "  causal,\n  documents,\n  not,", replace: "  causal,\n  describe,\n  documents,\n  not," },
      {
        find: "print(mask.name);",
        replace: "print(describe(mask, { queryLength: 10, keyLength: 10 }).text);",
      },
    ],
    says: "The same mask as text, with a count of its tiles.",
    outcome: ({ lines }) => lines.length >= 10,
  },
] satisfies readonly Change[];
