// Bugs of caches.
export const near = ["src/refusals.test.ts"];

export const mutants = [
  {
    what: "crop(-n) drops from the end of the longest batch alone",
    file: "src/check-change.ts",
    find: "$wanted < 0 ? $seen + $wanted : Math.min($wanted, $seen)",
    replace: "Math.min($wanted < 0 ? longest + $wanted : $wanted, $seen)",
  },
  {
    what: "crop(-n) leaves all batches with as many tokens as the longest",
    file: "src/check-change.ts",
    find: "$wanted < 0 ? $seen + $wanted : Math.min($wanted, $seen)",
    replace: "$wanted < 0 ? longest + $wanted : Math.min($wanted, $seen)",
  },
];
