import type { Exercise } from "../src/live/exercise";

export default {
  hint: "The most frequent pair is merged first. If a word occurs twice with a space before it, it is merged completely.",
  solution: [
    { find: '"a cat and a dog and a cat and a dog"', replace: '"a banana an apple a banana an apple"' },
  ],
  because:
    "The training text decides which words are cheap: 14 merges are enough for these two words if it contains nothing else.",
  next: {
    task: "Do the same for “ lemon” and “ melon”.",
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
