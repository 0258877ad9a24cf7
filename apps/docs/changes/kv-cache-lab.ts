import { type Change } from "../src/live/change";

export default [
  {
    label: "Read the prompt in two halves",
    edits: [
      {
        find: "  for (let n = 0; n < newTokens; n++) {",
        replace:
          "  if (cache) model.apply(params, ids.slice(0, promptLength / 2), { cache });\n  for (let n = 0; n < newTokens; n++) {",
      },
    ],
    says: "The same tokens, bit for bit: splitting the text into several calls does not change the result.",
    outcome: ({ lines }, before) => lines[0] === before.lines[0],
  },
] satisfies readonly Change[];
