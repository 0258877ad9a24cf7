/** A line for each live example of an open page that did not end well, and one if it has none. */
export function unfinishedExamples(
  page: { run: (expression: string) => Promise<string> },
  timeoutMs: number,
): Promise<string[]>;
