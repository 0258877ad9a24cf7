// npm run bench -- [--suite NAME]… [--threads N] [--rounds N] [--device D]… [--browser] [--full] [--node PATH] [--json [FILE]]
// Compares ours with other libraries: see README.md. This file is the command line; measure.mjs measures a row.
//
// A suite is a module suites/NAME.mjs that exports `rows`: an array, or a function that is given the context
// `{ threads, devices, browser, full }` (what --threads, --device, --browser and --full say) and returns one. A row is
//
//   id          "NAME/what"
//   unit        of its figures: "ms", "GFLOP/s", "tokens/s", …
//   better      "low" or "high"
//   work        units of work in one call: the figure is `work` per second. Without it, milliseconds of one call.
//   aim         intended speed relative to the best peer, or to the rival. Optional.
//   tolerance   the largest absolute difference of two outputs. Default 0.
//   expected()  the correct outputs: numbers, or texts, computed plainly. Default: those of the first contender.
//   contenders  [{ name, kind, resident, prepare(context) }], kind "ours", "peer", "native" (not JavaScript: an upper bound) or
//               "limit" (a limit of the machine). If the aim refers to one of ours instead of the best peer, that one has
//               `rival: true`. `resident` is the data in the library's memory between calls, which no call copies in or
//               out: "all" (inputs and results), "inputs" (results are read), "state" (weights, a cache, a vocabulary;
//               inputs and results are arrays), "nothing". A limit has none
// `prepare` creates the data, loads the library, and returns, or promises,
//
//   call()      the timed function; may return a promise
//   measure()   instead of call: returns the figure itself, for other values than the time of a call; its clock is
//               clock.mjs's. One call of it is one round
//   output()    the output to compare, before any timing; may return a promise. Absent: not compared (limits).
//   threads     number of threads used. Default 1.
//   note        further information for readers, such as the name of a renderer. Optional.
//
// Each contender of each row has its own process (with --browser, page), because libraries affect each other: so a suite is
// imported many times, creates no data before `prepare`, and imports peers there. Native contenders are omitted in a browser.
// `numbers(seed, length)` of data.mjs generates the data, the same in every process.
import { readdirSync, writeFileSync } from "node:fs";
import os from "node:os";
import { resolve } from "node:path";
import { Command } from "commander";
import { otherState, thisState } from "./against.mjs";
import { compare, comparisonTable, fewestRounds } from "./compare.mjs";
import { record } from "./history.mjs";
import { inProcesses } from "./in-processes.mjs";
import { install, versions } from "./install.mjs";
import { measure } from "./measure.mjs";
import { processorName } from "./processor.mjs";
import { rowsOf } from "./rows-of.mjs";
import { table } from "./table.mjs";

const folder = new URL("suites/", import.meta.url);
const suites = readdirSync(folder)
  .filter((file) => file.endsWith(".mjs"))
  .map((file) => file.slice(0, -".mjs".length));
const collect = (value, before) => [...(before ?? []), value];

const program = new Command("bench")
  .description("Measures ours beside others, in turn, after checking that outputs agree.")
  .option("--suite <name>", `which suite, may be repeated: ${suites.join(", ")}. Default: all`, collect)
  .option("--row <text>", "only rows whose id contains the text")
  .option("--threads <n>", "threads of whatever can use them", "1")
  .option("--rounds <n>", "rounds of each row. Default: 7, with --against 15")
  .option(
    "--against <ref>",
    "build another commit and time both in paired rounds: how many times as fast is this one?",
  )
  .option("--against-device <device>", "the device of the other commit. Default: the same")
  .option("--record", "append a line a row to benchmarks/history")
  .option(
    "--device <device>",
    "devices of ours, may be repeated: wasm, wasm,plain, js. Default: wasm",
    collect,
  )
  .option(
    "--clock <clock>",
    "wall, or cpu: what the processors spent, for a busy machine and one thread",
    "wall",
  )
  .option("--browser", "in Chromium; on isolated pages, where threads are asked for")
  .option("--full", "rows that take minutes on this machine, too")
  .option("--node <path>", "the Node that contenders run in. Default: the one that runs this")
  .option("--json [file]", "one JSON object to FILE, or alone to stdout");
program.parse();
const options = program.opts();
options.rounds ??= options.against === undefined ? "7" : "15";
const [rounds, threads] = [Number(options.rounds), Number(options.threads)];
const wanted = options.suite ?? suites;
const unknown = wanted.find((name) => !suites.includes(name));
if (unknown !== undefined) refuse(`there is no suite "${unknown}".\nFix: name some of ${suites.join(", ")}.`);
for (const name of ["rounds", "threads"]) {
  const given = Number(options[name]);
  if (!Number.isInteger(given) || given < 1)
    refuse(`--${name} is ${options[name]}, expected an integer, 1 or more.`);
}
if (options.clock !== "wall" && (options.clock !== "cpu" || threads > 1 || options.browser))
  refuse(`--clock is ${options.clock}, expected wall, or cpu with one thread in Node.`);

if (options.against !== undefined) {
  if (rounds < fewestRounds)
    refuse(`--rounds is ${rounds}, expected ${fewestRounds} or more with --against.`);
  const other = ["browser", "record"].find((name) => options[name]);
  if (other) refuse(`--${other} does not go with --against.`);
} else if (options.againstDevice !== undefined) refuse("--against-device needs --against.");
if (options.againstDevice !== undefined && (options.device?.length ?? 1) > 1)
  refuse("--against-device goes with one --device.");

const say = (line) => process.stderr.write(`${line}\n`);
const print = options.json === true ? say : console.log;
await install(say);

const context = {
  threads,
  devices: options.device ?? ["wasm"],
  browser: options.browser === true,
  full: options.full === true,
  clock: options.clock,
};
const machine = {
  cpu: processorName(),
  cores: os.cpus().length,
  memoryGiB: Math.round(os.totalmem() / 2 ** 30),
  system: `${os.type()} ${os.release()} ${os.arch()}`,
};
const chosen = [];
for (const suite of wanted) {
  const rows = rowsOf(await import(`./suites/${suite}.mjs`), context).filter(
    ({ id }) => options.row === undefined || id.includes(options.row),
  );
  if (rows.length > 0) chosen.push({ suite, rows });
}
if (chosen.length === 0)
  refuse(`no row of ${wanted.join(", ")} is left.\nFix: --row takes a part of an id, such as 512.`);
const place = context.browser
  ? await (
      await import("./in-pages.mjs")
    ).inPages(
      context,
      chosen.map(({ suite }) => suite),
    )
  : inProcesses(context, options.node ?? process.execPath);
const report = { machine, versions: { ...place.versions, ...versions() }, cases: [] };
if (options.clock === "cpu") report.clock = "cpu";
const other = options.against === undefined ? undefined : otherState(options.against, say);
if (other) report.against = { this: thisState(), other: other.commit };
const otherDevice = options.againstDevice ?? context.devices[0];
const otherContext = options.againstDevice ? { ...context, devices: [otherDevice] } : context;
const otherPlace = other && inProcesses(otherContext, options.node ?? process.execPath, other.child);
print(`${machine.cpu}, ${machine.cores} cores, ${place.name}`);
let sound = true;
try {
  for (const { suite, rows } of chosen) {
    for (const row of rows) {
      if (otherPlace) {
        const open = (state, contender) =>
          state === "this"
            ? place.open(suite, row, contender)
            : otherPlace.open(suite, row, {
                name: options.againstDevice
                  ? contender.name.replace(`on ${context.devices[0]}`, `on ${otherDevice}`)
                  : contender.name,
              });
        const compared = await compare(row, { rounds, say, open });
        report.cases.push(compared);
        if (compared.states.length > 0) print(`\n${comparisonTable(compared)}`);
        if (compared.states.some(({ failed }) => failed)) sound = false;
        continue;
      }
      const contenders = row.contenders.filter(({ kind }) => !(context.browser && kind === "native"));
      const measured = await measure(
        { ...row, contenders },
        { rounds, say, open: (contender) => place.open(suite, row, contender) },
      );
      report.cases.push(measured);
      print(`\n${table(measured)}`);
      if (measured.results.some(({ kind, wrong }) => kind === "ours" && wrong)) sound = false;
      if (measured.failed?.some(({ kind }) => kind === "ours")) sound = false;
    }
  }
} finally {
  await place.close();
  await otherPlace?.close();
}
if (options.record) {
  const about = {
    date: new Date().toISOString().slice(0, 10),
    commit: thisState(),
    processor: machine.cpu,
    engine: place.name,
    threads,
  };
  say(`bench: recorded in ${record(report.cases, about)}`);
}
const text = JSON.stringify(report, null, 2);
if (options.json === true) console.log(text);
else if (options.json) writeFileSync(resolve(process.env.QKV_CWD ?? ".", options.json), `${text}\n`);
if (!sound) {
  say("bench: ours failed, or gave wrong outputs, in the rows marked so.");
  process.exitCode = 1;
}

function refuse(message) {
  console.error(`bench: ${message}`);
  process.exit(1);
}
