// Mutants of stores: of subscribers, of outdated loads and generations, and of keys.
export const near = [
  "src/loading-store.test.ts",
  "src/generation-store.test.ts",
  "src/attention-store.test.ts",
];

export const mutants = [
  {
    what: "a subscriber that comes back at once is too late",
    file: "src/store.ts",
    near: ["src/store.test.ts"],
    find: "clearTimeout($leaving);",
    replace: "",
  },
  {
    what: "a model that comes after its load was aborted stays in memory",
    file: "src/loading-store.ts",
    find: "disposeModel($model); throw $signal.reason;",
    replace: "throw $signal.reason;",
  },
  {
    what: "bytes of an aborted load are shown",
    file: "src/loading-store.ts",
    find: "if ($signal.aborted) return;",
    replace: "",
  },
  {
    what: "a load after an error is the one that failed",
    file: "src/loading-store.ts",
    find: '$current && $store.getSnapshot().status !== "error"',
    replace: "$current",
  },
  {
    what: "a token of a generation that was stopped is shown",
    file: "src/generation-store.ts",
    find: "if (!$signal.aborted) $store.set($own);",
    replace: "$store.set($own);",
  },
  {
    what: "a result of arguments before is shown",
    file: "src/result-store.ts",
    find: "if (!$signal.aborted) $store.set($state);",
    replace: "$store.set($state);",
  },
  {
    what: "the order of options makes another model",
    file: "src/shared-model.ts",
    find: "$keys.sort().join()",
    replace: "$keys.join()",
  },
  {
    what: "the heads of a layer are those of the next",
    file: "src/attention-store.ts",
    find: "($layer * $H + $head) * $T * $S",
    replace: "($head * $H + $layer) * $T * $S",
  },
];
