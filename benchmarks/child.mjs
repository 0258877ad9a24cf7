// The process of one contender; in-processes.mjs starts it and asks.
import { makeRunner } from "./runner.mjs";

const [suite, id, name, context] = process.argv.slice(2);
const runner = makeRunner(suite, id, name, JSON.parse(context));
runner.catch(() => {}); // said when asked
// What breaks between two questions breaks the next answer.
process.on("disconnect", () => process.exit());
process.on("message", async (what) => {
  try {
    const running = await runner;
    process.send({ value: await running[what]() });
  } catch (error) {
    process.send({ error: error instanceof Error ? error.message : String(error) });
  }
});
