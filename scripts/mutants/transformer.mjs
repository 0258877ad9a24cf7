// Bugs of models, of their files and of sampling.
export const mutants = [
  {
    what: "q4_0 reads neighbours from the halves of a byte",
    file: "src/loading/gguf-blocks.ts",
    find: "$out[$to + $i] = $d * (($pair & 15) - 8); $out[$to + 16 + $i] = $d * (($pair >> 4) - 8);",
    replace:
      "$out[$to + 2 * $i] = $d * (($pair & 15) - 8); $out[$to + 2 * $i + 1] = $d * (($pair >> 4) - 8);",
  },
  {
    what: "q4_0 exchanges the halves of a byte",
    file: "src/loading/gguf-blocks.ts",
    find: "$out[$to + $i] = $d * (($pair & 15) - 8); $out[$to + 16 + $i] = $d * (($pair >> 4) - 8);",
    replace: "$out[$to + $i] = $d * (($pair >> 4) - 8); $out[$to + 16 + $i] = $d * (($pair & 15) - 8);",
  },
  {
    what: "the minima of q4_k and q5_k lose their high bits",
    file: "src/loading/gguf-blocks.ts",
    find: "[$scale, ($byte($j + 4) >> 4) | $high]",
    replace: "[$scale, $byte($j + 4) >> 4]",
  },
  {
    what: "the scales of q4_k and q5_k lose their high bits",
    file: "src/loading/gguf-blocks.ts",
    find: "[($byte($j + 4) & 15) | $high, $minimum]",
    replace: "[$byte($j + 4) & 15, $minimum]",
  },
  {
    what: "the high bits of scales and minima of q4_k and q5_k are exchanged",
    file: "src/loading/gguf-blocks.ts",
    find: "[$scale | $high, $minimum | $higher]",
    replace: "[$scale | $higher, $minimum | $high]",
  },
  {
    what: "min-p leaves out a token at its border",
    file: "src/generation/sampling.ts",
    find: "$powers[$id]! >= $least && $powers[$id]! > 0",
    replace: "$powers[$id]! > $least && $powers[$id]! > 0",
  },
];
