// A program of Bun, which installs by itself.
import { readReport, reportLine } from "../project.mjs";
import { importsOf } from "../in-page.mjs";
import { isForVite } from "../readme.mjs";
import { bun } from "../tools.mjs";

export async function run(project, { check, leftOut }) {
  const program = bun();
  if (!program) {
    leftOut("Bun", "npm has none for this machine");
    return;
  }
  await project.runInstaller(program, ["add", "--ignore-scripts", ...project.readme.install]);
  project.writeExamples(project.readme.examples.filter((example) => !isForVite(example)));
  project.write("main.js", `${importsOf(project.entries())}const list = await problems();\n${reportLine};\n`);
  await check("Bun", async () => readReport(await project.run(program, ["main.js"])));
}
