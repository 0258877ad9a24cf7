#!/usr/bin/env node
import { run } from "./run.js";

const stop = new AbortController();
/** Exit code after Ctrl-C: 128 + SIGINT. */
const interrupted = 130;
const graceMs = 5000;

// The first Ctrl-C aborts, so that files are finished or removed; a timeout or a second Ctrl-C ends the process.
process.once("SIGINT", () => {
  stop.abort();
  setTimeout(() => process.exit(interrupted), graceMs).unref();
});

// Output may fail before the work ends: a closed pipe (`| head -1`) is not an error, a full disk is.
let lost: { exitCode: number } | undefined;
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", ({ code }: NodeJS.ErrnoException) => {
    if (lost) return;
    lost = { exitCode: code === "EPIPE" ? 0 : 1 };
    process.exitCode = lost.exitCode;
    if (code !== "EPIPE") {
      process.stderr.write(
        `qkv: the output cannot be written (${code}).\nFix: make room, or send it somewhere else.\n`,
      );
    }
    stop.abort();
  });
}

run(process.argv.slice(2), { signal: stop.signal }).then((code) => {
  process.exitCode = lost?.exitCode ?? code;
  // An open standard input would keep the process alive.
  if (stop.signal.aborted) process.stdin.destroy();
});
