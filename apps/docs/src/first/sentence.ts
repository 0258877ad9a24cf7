import type { HeadPlace } from "./look";

/** Initial text of the text box. */
export const sentence = "The king asked the queen if she was";

/** The initial head. In the initial text it attends from the last words to the name they refer to. */
export const firstHead: HeadPlace = { layer: 3, head: 3 };

/** Example sentences for an empty text box. */
export const suggestions = [
  sentence,
  "The mouse ate the cheese because it was",
  "The boy lost his ball. He looked for his",
];
