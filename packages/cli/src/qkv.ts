#!/usr/bin/env node
import { run } from "./run.js";

const stop = new AbortController();
/** As shells say it: 128 and the number of SIGINT. */
const interrupted = 130;
const graceMs = 5000;

// Writes are finished or undone first; a timeout, or a second Ctrl-C, ends the process.
process.once("SIGINT", () => {
  stop.abort();
  setTimeout(() => process.exit(interrupted), graceMs).unref();
});

// Output may end before the work does. Who reads it may have enough (`| head -1`), which is no error; a disk may be full.
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
  // A terminal or a pipe that may still say something keeps the process alive.
  if (stop.signal.aborted) process.stdin.destroy();
});
