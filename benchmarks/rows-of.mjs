/** The rows of a suite's module in a context. */
export function rowsOf({ rows }, context) {
  return typeof rows === "function" ? rows(context) : rows;
}
