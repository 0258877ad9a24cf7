// A program of Node: ES modules and CommonJS.
import { basename, join } from "node:path";
import { readReport, reportLine } from "../project.mjs";
import { isForVite } from "../readme.mjs";
import { node } from "../tools.mjs";

/** Each command, with words that it takes, and what it then writes first. */
const commands = {
  qkv: { args: ["generate", "--prompt", "Once upon a time"], begins: "Once upon a time" },
  "create-qkv": { args: ["--help"], begins: "Usage: npm create qkv@latest" },
};

export async function run(project, { check, leftOut }) {
  await project.install();
  const examples = project.readme.examples.filter((example) => !isForVite(example));
  project.writeExamples(examples);
  project.writeExamples(examples, "commonjs");
  const entries = project.entries();
  project.write(
    "main.js",
    `${entries.map((entry) => `import ${JSON.stringify(entry)};\n`).join("")}import { problems } from "./problems.js";
const list = await problems();
${reportLine};
`,
  );
  project.write(
    "main.cjs",
    `${entries.map((entry) => `require(${JSON.stringify(entry)});\n`).join("")}const { problems } = require("./problems.cjs");
problems().then((list) => ${reportLine});
`,
  );
  for (const major of [20, 22, 24]) {
    const program = node(major);
    if (!program) {
      leftOut(`Node ${major}`, "npm has none for this machine, and it is not on PATH");
      continue;
    }
    await check(`Node ${major}, ES modules`, async () => readReport(await project.run(program, ["main.js"])));
    await check(`Node ${major}, CommonJS`, async () => readReport(await project.run(program, ["main.cjs"])));
    for (const [command, path] of Object.entries(project.json.bin ?? {})) {
      const file = join("node_modules", project.name, path);
      const { args, begins } = commands[command];
      await check(`Node ${major}, the command ${command}`, async () => {
        const text = await project.run(program, [file, ...args]);
        if (!text.startsWith(begins)) throw new Error(`${basename(file)} wrote: ${text}`);
      });
    }
  }
}
