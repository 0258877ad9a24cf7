import { type Change } from "../src/live/change";

export default [
  {
    label: "Cut every four bytes",
    edits: [
      { find: "  spacePatching,", replace: "  stridedPatching," },
      { find: "spacePatching())", replace: "stridedPatching(4))" },
    ],
    says: "All patches but the last have four bytes, and the rows have four visible cells.",
    outcome: ({ lines, checks }) =>
      lines.includes("bytes of each patch: [4, 4, 4, 4, 2]") &&
      checks["patch 0 reads what it would read if its bytes were alone"] === true,
  },
] satisfies readonly Change[];
