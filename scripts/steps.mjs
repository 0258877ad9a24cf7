// Runs commands in sequence, stops at the first failure, and prints a closing line: `N passed, N failed`.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";

const root = fileURLToPath(new URL("../", import.meta.url));
const closingLine = /^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/gm;

/**
 * A step is `{ name, command }`. With `seconds`, its line says about how long it takes, as measured on two cores. With `counts`, the command's output is shown, and its closing line is added to the total.
 * Other steps are silent if they succeed, and count as one failure if they fail. A step with `skip`, a reason, is not run;
 * the reason is shown.
 *
 * Returns whether every step passed. The total is the last line printed.
 */
export async function runSteps(steps) {
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const [i, step] of steps.entries()) {
    if (step.skip) {
      console.log(`- ${step.name}: left out. ${step.skip}`);
      continue;
    }
    const about = step.seconds ? ` (about ${step.seconds} s)` : "";
    console.log(`> ${i + 1} of ${steps.length}, ${step.name}${about}: ${step.command.join(" ")}`);
    const start = Date.now();
    const { status, output } = await run(step);
    const counts = step.counts ? lastCounts(output) : { passed: 0, failed: 0, skipped: 0 };
    // A command that fails without counting a failure, or counts nothing, is a failure.
    if (counts === undefined || (status !== 0 && counts.failed === 0)) total.failed += 1;
    for (const key of Object.keys(total)) total[key] += counts?.[key] ?? 0;
    const seconds = ((Date.now() - start) / 1000).toFixed(1);
    if (total.failed > 0) {
      if (!step.counts) process.stdout.write(output);
      console.log(`x ${step.name} failed after ${seconds} s (exit code ${status}). It says:`);
      for (const line of whatMatters(output)) console.log(`  ${line}`);
      break;
    }
    console.log(`  ${step.name}: ${seconds} s`);
  }
  const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : "";
  console.log(`${total.passed} passed, ${total.failed} failed${skipped}`);
  return total.failed === 0;
}

/** The first three lines of an output that tell of a failure; without such a line, its last three. */
function whatMatters(output) {
  const lines = stripVTControlCharacters(output)
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  const telling = lines.filter((line) => /^(?:FAIL\b|[\w]*Error\b|×|✖|\[warn\])|\berror\b/.test(line));
  return (telling.length > 0 ? telling.slice(0, 3) : lines.slice(-3)).map((line) => line.slice(0, 200));
}

function lastCounts(output) {
  const last = [...output.matchAll(closingLine)].at(-1);
  return last && { passed: Number(last[1]), failed: Number(last[2]), skipped: Number(last[3] ?? 0) };
}

function run({ command: [program, ...args], counts }) {
  const child = spawn(program, args, {
    cwd: root,
    env: {
      ...process.env,
      QKV_CWD: root,
      TURBO_TELEMETRY_DISABLED: "1",
      ...(counts && process.stdout.isTTY ? { FORCE_COLOR: "1" } : {}),
    },
    stdio: ["ignore", "pipe", "pipe"],
    shell: process.platform === "win32", // the tools in node_modules/.bin are .cmd files there
  });
  let output = "";
  const keep = (stream, show) => {
    stream.setEncoding("utf8");
    stream.on("data", (text) => {
      output += text;
      if (counts) show.write(text);
    });
  };
  keep(child.stdout, process.stdout);
  keep(child.stderr, process.stderr);
  return new Promise((resolve) => {
    child.on("error", (error) => resolve({ status: 1, output: `${output}${error.message}\n` }));
    child.on("close", (status, signal) => resolve({ status: status ?? signal, output }));
  });
}
