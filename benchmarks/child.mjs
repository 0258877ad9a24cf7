// The process of one contender, started by in-processes.mjs.
import { rowsOf } from "./rows-of.mjs";
import { runnerOf } from "./runner.mjs";

const [suite, id, name, given] = process.argv.slice(2);
const context = JSON.parse(given);
const runner = import(`./suites/${suite}.mjs`).then((module) =>
  runnerOf(
    rowsOf(module, context).find((row) => row.id === id),
    name,
    context,
  ),
);
runner.catch(() => {}); // reported with the first request
// An error between two requests is reported with the next one.
process.on("disconnect", () => process.exit());
process.on("message", async (what) => {
  try {
    const running = await runner;
    process.send({ value: await running[what]() });
  } catch (error) {
    process.send({ error: error instanceof Error ? error.message : String(error) });
  }
});
