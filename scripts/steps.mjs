// Runs commands, stops at the first failure, and prints a closing line: `N passed, N failed`.
import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";

const root = fileURLToPath(new URL("../", import.meta.url));
const closingLine = /^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/gm;

/**
 * A step is `{ name, command }`. With `seconds`, its line says about how long it takes alone, as measured on two cores. With
 * `counts`, the command's output is shown, and its closing line is added to the total. Other steps are silent if they
 * succeed, and count as one failure if they fail. A step with `skip`, a reason, is not run; the reason is shown.
 *
 * Steps run in sequence. Those of an inner list run as many at once as there are cores; the output of each is then shown
 * when it ends.
 *
 * Returns whether every step passed. The total is the last line printed.
 */
export async function runSteps(steps) {
  const total = { passed: 0, failed: 0, skipped: 0 };
  const count = steps.flat().length;
  let started = 0;

  async function runStep(step, alone) {
    started += 1;
    if (step.skip) {
      console.log(`- ${step.name}: left out. ${step.skip}`);
      return;
    }
    const about = step.seconds ? ` (about ${step.seconds} s)` : "";
    console.log(`> ${started} of ${count}, ${step.name}${about}: ${step.command.join(" ")}`);
    const start = Date.now();
    const shows = alone && step.counts;
    const { status, output } = await run(step, shows);
    const counts = step.counts ? lastCounts(output) : { passed: 0, failed: 0, skipped: 0 };
    // A command that fails without counting a failure, or counts nothing, is a failure.
    const failed = counts === undefined || status !== 0 || counts.failed > 0;
    if (failed && !counts?.failed) total.failed += 1;
    for (const key of Object.keys(total)) total[key] += counts?.[key] ?? 0;
    const seconds = ((Date.now() - start) / 1000).toFixed(1);
    if (!shows && (step.counts || failed)) process.stdout.write(output);
    console.log(
      failed
        ? `x ${step.name} failed after ${seconds} s (exit code ${status}). It says:`
        : `  ${step.name}: ${seconds} s`,
    );
    if (failed) for (const line of whatMatters(output)) console.log(`  ${line}`);
  }

  for (const group of steps) {
    const waiting = [group].flat().values();
    const runWaiting = async () => {
      // The iterator is shared: each takes the next step.
      for (const step of waiting) if (total.failed === 0) await runStep(step, group === step);
    };
    await Promise.all(Array.from({ length: Array.isArray(group) ? availableParallelism() : 1 }, runWaiting));
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

function run({ command: [program, ...args] }, shows) {
  const child = spawn(program, args, {
    cwd: root,
    env: {
      ...process.env,
      QKV_CWD: root,
      TURBO_TELEMETRY_DISABLED: "1",
      ...(shows && process.stdout.isTTY ? { FORCE_COLOR: "1" } : {}),
    },
    stdio: ["ignore", "pipe", "pipe"],
    shell: process.platform === "win32", // the tools in node_modules/.bin are .cmd files there
  });
  let output = "";
  const keep = (stream, show) => {
    stream.setEncoding("utf8");
    stream.on("data", (text) => {
      output += text;
      if (shows) show.write(text);
    });
  };
  keep(child.stdout, process.stdout);
  keep(child.stderr, process.stderr);
  return new Promise((resolve) => {
    child.on("error", (error) => resolve({ status: 1, output: `${output}${error.message}\n` }));
    child.on("close", (status, signal) => resolve({ status: status ?? signal, output }));
  });
}
