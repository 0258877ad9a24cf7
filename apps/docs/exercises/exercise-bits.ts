import type { Exercise } from "../src/live/exercise";

export default {
  hint: "A token has to read every weight once. How many bytes per weight can the L4 read in 35 ms?",
  solution: [{ find: "formats.float16", replace: "quantized({ bits: 8 })" }],
  because: "Half the bytes take half the time, because generating text is memory-bound.",
  next: {
    task: "Now reach 20 ms per token, with four bits or more.",
    edits: [
      {
        find: 'check("a token takes at most 35 ms", step.timeMs <= 35);\ncheck("the weights keep eight bits or more", weights.bytesPerNumber >= 1);',
        replace:
          'check("a token takes at most 20 ms", step.timeMs <= 20);\ncheck("the weights keep four bits or more", weights.bytesPerNumber >= 0.5);',
      },
    ],
    solution: [{ find: "formats.float16", replace: "quantized({ bits: 4 })" }],
  },
} satisfies Exercise;
