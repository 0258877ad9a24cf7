/** Initial text of the text box. */
export const sentence = "The cat sat on the mat because it was";
