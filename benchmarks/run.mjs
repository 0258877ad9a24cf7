// npm run bench -- [--suite NAME]… [--rounds N] [--json [FILE]]
// Measures ours beside others, in turn (A B C A B C), after checking that their outputs agree. Medians and minima;
// compare ratios of one run, not figures of two.
import { writeFileSync } from "node:fs";
import os from "node:os";
import { resolve } from "node:path";
import { performance } from "node:perf_hooks";
import { Command } from "commander";
import { plain } from "./suites/plain.mjs";

const suites = { plain };

const program = new Command("bench")
  .description("Measures ours beside others, in turn, after checking that outputs agree.")
  .option("--suite <name...>", `which suites: ${Object.keys(suites).join(", ")}. Default: all`)
  .option("--rounds <n>", "rounds of each case", "7")
  .option("--json [file]", "one JSON object to FILE, or alone to stdout");
program.parse();
const options = program.opts();
const rounds = Number(options.rounds);
const wanted = options.suite ?? Object.keys(suites);
const unknown = wanted.find((name) => !Object.hasOwn(suites, name));
if (unknown !== undefined || !Number.isInteger(rounds) || rounds < 1) {
  console.error(
    unknown !== undefined
      ? `bench: there is no suite "${unknown}".\nFix: name some of ${Object.keys(suites).join(", ")}.`
      : `bench: --rounds is ${options.rounds}, expected a whole number, 1 or more.`,
  );
  process.exit(1);
}
const say = options.json === true ? console.error : console.log;

const cpus = os.cpus();
const report = {
  machine: {
    cpu: cpus[0]?.model ?? "unknown",
    cores: cpus.length,
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
  },
  versions: { node: process.versions.node, v8: process.versions.v8 },
  cases: [],
};
say(`${report.machine.cpu}, ${report.machine.cores} cores, Node ${report.versions.node}`);
for (const name of wanted) {
  for (const bench of suites[name]) report.cases.push(measure(bench));
}
if (options.json === true) console.log(JSON.stringify(report, null, 2));
else if (options.json)
  writeFileSync(resolve(process.env.QKV_CWD ?? ".", options.json), `${JSON.stringify(report, null, 2)}\n`);

/** Checks that all give the first one's numbers, then times them in turn. */
function measure({ id, contenders, tolerance, work, unit }) {
  const expected = contenders[0].run();
  const timed = contenders.map((contender) => {
    const got = contender.run();
    const wrong = got.some((value, i) => !(Math.abs(value - expected[i]) <= tolerance));
    contender.run();
    return { ...contender, wrong, times: [] };
  });
  for (let round = 0; round < rounds; round++) {
    for (const { run, times } of timed) {
      const start = performance.now();
      let calls = 0;
      do {
        run();
        calls += 1;
      } while (performance.now() - start < 50);
      times.push((performance.now() - start) / calls);
    }
  }
  const results = timed.map(({ name, kind, wrong, times }) => {
    const rates = times.map((ms) => work / (ms / 1000)).sort((a, b) => a - b);
    const median = rates[Math.floor(rates.length / 2)];
    return { name, kind, threads: 1, median, min: rates[0], ...(wrong && { wrong: true }) };
  });
  const ours = results.find(({ kind }) => kind === "ours");
  const peers = results.filter(({ kind, wrong }) => kind === "peer" && !wrong);
  const best = peers.reduce((a, b) => (b.median > a.median ? b : a));
  say(`\n${id} (${unit}, more is better)`);
  for (const { name, median, min, wrong } of results) {
    say(
      `  ${name.padEnd(28)} ${median.toFixed(2).padStart(9)}  slowest ${min.toFixed(2)}${wrong ? "  WRONG" : ""}`,
    );
  }
  say(`  ratio to the best other: ${(ours.median / best.median).toFixed(2)}`);
  return { id, unit, better: "high", results };
}
