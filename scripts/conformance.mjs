// Builds what conformance needs, then runs it. stdout is left to the command's own output (--json).
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));

function run(command, args, options) {
  const { status, error } = spawnSync(command, args, options);
  if (error) console.error(error.message);
  if (status !== 0) process.exit(status ?? 1);
}

run("turbo", ["run", "build", "--filter=conformance...", "--output-logs=errors-only"], {
  cwd: root,
  stdio: ["ignore", process.stderr.fd, process.stderr.fd],
  shell: process.platform === "win32",
});
run(
  process.execPath,
  [fileURLToPath(new URL("../conformance/dist/main.js", import.meta.url)), ...process.argv.slice(2)],
  {
    stdio: "inherit",
  },
);
