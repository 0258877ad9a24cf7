import { conformance } from "./command.js";

process.exitCode = await conformance(process.argv.slice(2), {
  cwd: process.env["QKV_CWD"] ?? process.cwd(),
  stdout: (text) => process.stdout.write(text),
  stderr: (text) => process.stderr.write(text),
});
