import type { HeadPlace } from "./look";

/** Initial text of the text box. */
export const sentence = "The king asked the queen if she was";

/** The head that is shown first: of this sentence, it finds whom the last words are about. */
export const firstHead: HeadPlace = { layer: 3, head: 3 };

/** Sentences for an empty box. */
export const suggestions = [
  sentence,
  "The mouse ate the cheese because it was",
  "The boy lost his ball. He looked for his",
];
