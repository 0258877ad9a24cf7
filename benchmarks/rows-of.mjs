/** The rows of a suite in a context. */
export async function rowsOf(suite, context) {
  const { rows } = await import(`./suites/${suite}.mjs`);
  return typeof rows === "function" ? rows(context) : rows;
}
