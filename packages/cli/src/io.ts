import { fstatSync } from "node:fs";

/** Output of text: standard output, standard error, or a test's list. */
export type Output = {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  /** Writes terminal escape sequences: colours, cursor movement. Default: `write`. */
  control?(sequence: string): unknown;
};

/** Input of text: standard input, or a test's list. */
export type Input = AsyncIterable<Uint8Array | string> & {
  readonly isTTY?: boolean | undefined;
  /** True if a file or the output of a program was sent to the input. Default: false. */
  readonly isPiped?: boolean;
};

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
  const input = {
    isTTY: stdin.isTTY,
    isPiped: isPiped(),
    [Symbol.asyncIterator]: () => stdin[Symbol.asyncIterator](),
  };
  const color = err.isTTY === true && !env["NO_COLOR"] && env["TERM"] !== "dumb";
  return { in: input, out, err, color, signal };
}

/**
 * True if standard input is the pipe of a shell or a file. The socket that a program gives its child is not: it may stay open, and
 * a command that waits for its end would never begin.
 */
function isPiped(): boolean {
  try {
    const input = fstatSync(0);
    return input.isFIFO() || input.isFile();
  } catch {
    return false;
  }
}
