/** The rows of a suite for a context. */
export function rowsOf({ rows }, context) {
  return typeof rows === "function" ? rows(context) : rows;
}
