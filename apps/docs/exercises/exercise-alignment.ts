import type { Exercise } from "../src/live/exercise";

export default {
  hint: "Each step of the decoder is one row of the map. Which of the three words should the first row look at?",
  solution: [{ find: '["day", "month", "year"];', replace: '["year", "month", "day"];' }],
  because: "The keys did not change. Only the order of the queries did.",
  next: {
    task: "Now write it as “May 3, 1979”: month, day, year.",
    edits: [
      {
        find: 'check("the first step looks at the year", looks(0, "1979"));\ncheck("the second step looks at the month", looks(1, "May"));\ncheck("the third step looks at the day: 1979-05-03", looks(2, "3"));',
        replace:
          'check("the first step looks at the month", looks(0, "May"));\ncheck("the second step looks at the day", looks(1, "3"));\ncheck("the third step looks at the year: May 3, 1979", looks(2, "1979"));',
      },
    ],
    solution: [{ find: '["day", "month", "year"];', replace: '["month", "day", "year"];' }],
  },
} satisfies Exercise;
