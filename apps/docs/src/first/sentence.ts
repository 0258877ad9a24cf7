/** What stands in the text box at first. */
export const sentence = "The cat sat on the mat because it was";
