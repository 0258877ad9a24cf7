/** Output of text: standard output, standard error, or a test's list. */
export type Output = {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  /** Writes terminal escape sequences: colours, cursor movement. Default: `write`. */
  control?(sequence: string): unknown;
};

/** Input of text: standard input, or a test's list. */
export type Input = AsyncIterable<Uint8Array | string> & { readonly isTTY?: boolean | undefined };

/** Streams and signal of a command. */
export type Io = {
  /** Standard input; only commands that read text use it. */
  readonly in: Input;
  /** Standard output: only the result. */
  readonly out: Output;
  /** Standard error: progress, statistics, errors. */
  readonly err: Output;
  /** True if `err` supports colours. */
  readonly color: boolean;
  /** Aborts the command. */
  readonly signal: AbortSignal;
};

/** Streams and signal of this process. Colours only on a terminal that supports them, and not if NO_COLOR is set. */
export function processIo(signal: AbortSignal): Io {
  const { stdin, stdout: out, stderr: err, env } = process;
  const color = err.isTTY === true && !env["NO_COLOR"] && env["TERM"] !== "dumb";
  return { in: stdin, out, err, color, signal };
}
