// A program of Deno, which installs by itself.
import { readReport, reportLine } from "../project.mjs";
import { importsOf } from "../in-page.mjs";
import { isForVite } from "../readme.mjs";
import { deno } from "../tools.mjs";

export async function run(project, { check, leftOut }) {
  const program = deno();
  if (!program) {
    leftOut("Deno", "npm has none for this machine");
    return;
  }
  // What was published a moment ago is too young for Deno, unless it is told.
  await project.runInstaller(program, [
    "add",
    "--minimum-dependency-age=0",
    ...project.readme.install.map((name) => `npm:${name}`),
  ]);
  project.writeExamples(project.readme.examples.filter((example) => !isForVite(example)));
  project.write("main.js", `${importsOf(project.entries())}const list = await problems();\n${reportLine};\n`);
  await check("Deno", async () => readReport(await project.run(program, ["run", "--allow-all", "main.js"])));
}
