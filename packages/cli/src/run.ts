import { isQkvError, visibleText } from "@qkv/core";
import { CommanderError } from "commander";
import { createColors } from "picocolors";
import { commandErrorMessage } from "./command-error.js";
import { processIo, type Io } from "./io.js";
import { printer } from "./printer.js";
import { createProgram } from "./program.js";
import { untilAborted } from "./until-aborted.js";

/**
 * Runs a command line of `qkv`.
 *
 * @param argv - The words after `qkv`: `["generate", "model.bin", "--tokenizer", "tok.bin"]`.
 * @param io - Streams of results, progress and errors, and the signal that aborts. Default: those of this process.
 * @returns The exit code: 0, 1 after an error whose message and fix were written to `io.err`, or 130 after an abort.
 *
 * @example
 * ```ts
 * import { run } from "qkv/command";
 *
 * let help = "";
 * await run(["generate", "--help"], { out: { write: (text) => (help += text) } }); // => 0
 * help.includes("--temperature"); // => true
 * ```
 */
export async function run(argv: readonly string[], io: Partial<Io> = {}): Promise<number> {
  const streams: Io = { ...processIo(io.signal ?? new AbortController().signal), ...io };
  const full: Io = {
    ...streams,
    in: untilAborted(streams.in, streams.signal),
    out: printer(streams.out),
    err: printer(streams.err),
  };
  try {
    await createProgram(full).parseAsync([...argv], { from: "user" });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode; // commander has already printed its message or the help
    if (full.signal.aborted && error === full.signal.reason) {
      if (full.err.isTTY) full.err.write("\n"); // after the ^C of the terminal
      return 130;
    }
    const [first, ...rest] = visibleText(errorMessage(error, argv[0])).split("\n");
    full.err.control!([createColors(full.color).red(first), ...rest, ""].join("\n"));
    return 1;
  }
}

function errorMessage(error: unknown, command = ""): string {
  if (isQkvError(error)) return commandErrorMessage(error, command);
  const description = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return `qkv: ${description.replaceAll("\n", " ")}\nFix: this is a defect; report it with what you typed at https://github.com/qkv-js/qkv/issues.`;
}
