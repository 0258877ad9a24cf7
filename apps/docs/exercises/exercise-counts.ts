import type { Exercise } from "../src/live/exercise";

export default {
  hint: "Use “the” four times, and follow it with “cat” twice. The last word needs no follower, so you can end on it.",
  solution: [
    {
      find: '"the cat sat . the cat ran ."',
      replace: '"the cat sat . the dog ran . the mat lay . the cat ."',
    },
  ],
  because: "A bigram model's probabilities are simply the counts in its training text.",
  next: {
    task: "Now make “cat”, “dog” and “mat” follow “the” equally often.",
    edits: [
      {
        find: 'check(\n  "after “the”, “cat” comes half of the time",\n  chance("the", "cat") === 0.5,\n);\ncheck(\n  "“dog” and “mat” come a quarter of the time each",\n  chance("the", "dog") === 0.25 && chance("the", "mat") === 0.25,\n);',
        replace:
          'for (const one of ["cat", "dog", "mat"])\n  check(`after “the”, “${one}” comes a third of the time`, chance("the", one) === 1 / 3);',
      },
    ],
    solution: [
      { find: '"the cat sat . the cat ran ."', replace: '"the cat sat . the dog ran . the mat lay ."' },
    ],
  },
} satisfies Exercise;
