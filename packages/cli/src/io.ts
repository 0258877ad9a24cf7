/** Output of text: standard output, standard error, or a test's list. */
export type Output = {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  /** Writes what steers a terminal: colours, the cursor. Default: `write`. */
  control?(sequence: string): unknown;
};

/** Input of text: standard input, or a test's list. */
export type Input = AsyncIterable<Uint8Array | string> & { readonly isTTY?: boolean | undefined };

/** Streams and signal of a command. */
export type Io = {
  /** Read by the commands that take text, and by no other. */
  readonly in: Input;
  /** The result, and nothing else. */
  readonly out: Output;
  /** Progress, figures, errors. */
  readonly err: Output;
  /** True if `err` supports colours. */
  readonly color: boolean;
  /** Ends the work early. */
  readonly signal: AbortSignal;
};

/** The io of this process. Colours only on a terminal that has them, and never under NO_COLOR. */
export function processIo(signal: AbortSignal): Io {
  const { stdin, stdout: out, stderr: err, env } = process;
  const color = err.isTTY === true && !env["NO_COLOR"] && env["TERM"] !== "dumb";
  return { in: stdin, out, err, color, signal };
}
