import type { Exercise } from "../src/live/exercise";

export default {
  hint: "Pairs are merged by how often they occur. A word that stands in the text twice, with the space before it, is merged to its end.",
  solution: [
    { find: '"a cat and a dog and a cat and a dog"', replace: '"a banana an apple a banana an apple"' },
  ],
  because:
    "The corpus decides what is cheap to say: 14 merges are enough for these two words, if the text holds nothing else.",
  next: {
    task: "The same for “ lemon” and “ melon”.",
    edits: [
      {
        find: 'print("a banana:", pieces("a banana"));\nprint("an apple:", pieces("an apple"));\n\ncheck("“ banana” is one token", pieces("a banana").includes(" banana"));\ncheck("“ apple” is one token", pieces("an apple").includes(" apple"));',
        replace:
          'print("a lemon:", pieces("a lemon"));\nprint("a melon:", pieces("a melon"));\n\ncheck("“ lemon” is one token", pieces("a lemon").includes(" lemon"));\ncheck("“ melon” is one token", pieces("a melon").includes(" melon"));',
      },
    ],
    solution: [
      { find: '"a cat and a dog and a cat and a dog"', replace: '"a lemon a melon a lemon a melon"' },
    ],
  },
} satisfies Exercise;
