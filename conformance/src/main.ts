import { conformance } from "./command.js";

// With `| head` the pipe closes early: later output has no reader.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit();
});

process.exitCode = await conformance(process.argv.slice(2), {
  cwd: process.env["QKV_CWD"] ?? process.cwd(),
  stdout: (text) => process.stdout.write(text),
  stderr: (text) => process.stderr.write(text),
});
