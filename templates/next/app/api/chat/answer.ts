/** Lines of an answer, one JSON value each: texts as they are written, then the attention as an SVG. */
export type AnswerLine = { text: string } | { attention: string } | { error: string };
