import type { Exercise } from "../src/live/exercise";

export default {
  hint: "The writer makes one row of the map per step. Which of the three notes should the first row find?",
  solution: [{ find: '["day", "month", "year"];', replace: '["year", "month", "day"];' }],
  because: "What was read, the keys, has not moved. Only the order of the questions changed.",
  next: {
    task: "Now write it as “May 3, 1979”: month, day, year.",
    edits: [
      {
        find: 'check("the first step looks at the year", looks(0, "1979"));\ncheck("the second looks at the month", looks(1, "May"));\ncheck("the third looks at the day: 1979-05-03", looks(2, "3"));',
        replace:
          'check("the first step looks at the month", looks(0, "May"));\ncheck("the second looks at the day", looks(1, "3"));\ncheck("the third looks at the year: May 3, 1979", looks(2, "1979"));',
      },
    ],
    solution: [{ find: '["day", "month", "year"];', replace: '["month", "day", "year"];' }],
  },
} satisfies Exercise;
