// Bugs of quantized blocks and of sampling. `find` occurs once in `file`, a path in packages/transformer/src.
export const mutants = [
  {
    what: "q4_0 reads neighbours from the halves of a byte",
    file: "loading/gguf-blocks.ts",
    find: "out[to + i] = d * ((pair & 15) - 8);\n    out[to + 16 + i] = d * ((pair >> 4) - 8);",
    replace: "out[to + 2 * i] = d * ((pair & 15) - 8);\n    out[to + 2 * i + 1] = d * ((pair >> 4) - 8);",
  },
  {
    what: "q4_0 exchanges the halves of a byte",
    file: "loading/gguf-blocks.ts",
    find: "out[to + i] = d * ((pair & 15) - 8);\n    out[to + 16 + i] = d * ((pair >> 4) - 8);",
    replace: "out[to + i] = d * ((pair >> 4) - 8);\n    out[to + 16 + i] = d * ((pair & 15) - 8);",
  },
  {
    what: "the minima of q4_k and q5_k lose their high bits",
    file: "loading/gguf-blocks.ts",
    find: "(byte(j + 4) >> 4) | ((byte(j) >> 6) << 4)]",
    replace: "byte(j + 4) >> 4]",
  },
  {
    what: "the scales of q4_k and q5_k lose their high bits",
    file: "loading/gguf-blocks.ts",
    find: "(byte(j + 4) & 15) | ((byte(j - 4) >> 6) << 4),",
    replace: "byte(j + 4) & 15,",
  },
  {
    what: "the high bits of scales and minima of q4_k and q5_k are exchanged",
    file: "loading/gguf-blocks.ts",
    find: "((byte(j - 4) >> 6) << 4), (byte(j + 4) >> 4) | ((byte(j) >> 6) << 4)]",
    replace: "((byte(j) >> 6) << 4), (byte(j + 4) >> 4) | ((byte(j - 4) >> 6) << 4)]",
  },
  {
    what: "min-p leaves out a token at its border",
    file: "generation/sampling.ts",
    find: "powers[id]! >= least && powers[id]! > 0",
    replace: "powers[id]! > least && powers[id]! > 0",
  },
];
