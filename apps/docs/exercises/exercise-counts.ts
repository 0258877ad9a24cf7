import type { Exercise } from "../src/live/exercise";

export default {
  hint: "Count what follows “the”: four times in all, twice “cat”. And let nothing stand after the last word that would need a follower.",
  solution: [
    {
      find: '"the cat sat . the cat ran ."',
      replace: '"the cat sat . the dog ran . the mat lay . the cat ."',
    },
  ],
  because: "A bigram model has no opinion of its own: its probabilities are the counts of the text.",
  next: {
    task: "Now let “cat”, “dog” and “mat” follow “the” equally often.",
    edits: [
      {
        find: 'check("half of the time “cat” follows “the”", chance("the", "cat") === 0.5);\ncheck(\n  "“dog” and “mat” share the other half",\n  chance("the", "dog") === 0.25 && chance("the", "mat") === 0.25,\n);',
        replace:
          'for (const one of ["cat", "dog", "mat"])\n  check(`a third of the time “${one}” follows “the”`, chance("the", one) === 1 / 3);',
      },
    ],
    solution: [
      { find: '"the cat sat . the cat ran ."', replace: '"the cat sat . the dog ran . the mat lay ."' },
    ],
  },
} satisfies Exercise;
