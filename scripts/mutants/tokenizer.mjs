// Bugs of tokenizers.
export const near = ["src/chat/chat-template.test.ts"];

export const mutants = [
  {
    what: "templates keep the line break behind a block",
    file: "src/chat/render-bounded.ts",
    find: "trim_blocks: true",
    replace: "trim_blocks: false",
  },
  {
    what: "templates keep the spaces before a block",
    file: "src/chat/render-bounded.ts",
    find: "lstrip_blocks: true",
    replace: "lstrip_blocks: false",
  },
  {
    what: "a way that matched counts as failed for the next match",
    file: "src/regex/memoized-matcher.ts",
    find: "$results.set($trail[$i]!, $trail[$i + 1]!, $end + 2)",
    replace: "$results.set($trail[$i]!, $trail[$i + 1]!, failure)",
  },
  {
    what: "the proof of a pattern's cost takes sets that overlap for different",
    file: "src/regex/linear-time.ts",
    find: "$steps.get($state)! > 1 || mayOverlap($union, $bits)",
    replace: "$steps.get($state)! > 1",
  },
  {
    what: "the proof of a pattern's cost takes a match for certain before a look",
    file: "src/regex/linear-time.ts",
    in: "isNullable",
    find: "return false;",
    replace: 'return node.type === "lookaround";',
  },
  {
    what: "of added tokens that begin together the shortest is taken",
    file: "src/longest-matches.ts",
    find: "if ($one.at === 0) $longest[$child] = $one.index;",
    replace: "if ($one.at === 0 && $longest[$child] < 0) $longest[$child] = $one.index;",
  },
];
