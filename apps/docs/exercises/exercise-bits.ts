import type { Exercise } from "../src/live/exercise";

export default {
  hint: "A token has to read every weight once. How many bytes per weight can be read in 35 ms?",
  solution: [{ find: "formats.float16", replace: "quantized({ bits: 8 })" }],
  because: "Half the bytes are read in half the time: generating is bound by memory.",
  next: {
    task: "At most 20 ms per token, in four bits or more.",
    edits: [
      {
        find: 'check("a token takes at most 35 ms", step.timeMs <= 35);\ncheck("in eight bits or more, for quality\'s sake", weights.bytesPerNumber >= 1);',
        replace:
          'check("a token takes at most 20 ms", step.timeMs <= 20);\ncheck("in four bits or more", weights.bytesPerNumber >= 0.5);',
      },
    ],
    solution: [{ find: "formats.float16", replace: "quantized({ bits: 4 })" }],
  },
} satisfies Exercise;
