import { checks, isQkvError } from "@qkv/core";
import { parseArgs } from "node:util";
import { createProject, findTemplate, requireEmpty } from "./create-project.js";
import { terminalQuestions, type Questions } from "./questions.js";
import { templates } from "./templates.js";

/** Output streams, and the prompts; undefined without a terminal. */
export type Io = {
  out(text: string): void;
  err(text: string): void;
  questions: Questions | undefined;
};

const command = "create-qkv";
/** Exit code if the user cancels: 128 + SIGINT. */
const cancelledCode = 130;

const help = `Usage: npm create qkv@latest [FOLDER] -- [--template NAME] [--json]

Creates a project with qkv in a folder that is empty or not there yet.

Templates:
${templates.map(({ name, about }) => `  ${name.padEnd(8)}${about}`).join("\n")}

Options:
  --template NAME  the template; asked for in a terminal
  --json           print one JSON object: folder, template, commands
  --help           print this
`;

/** Runs a command line, and returns its exit code: 0, 1 after an error, 130 if the user cancelled a prompt. */
export async function run(argv: readonly string[], io: Io = processIo()): Promise<number> {
  try {
    const { folder: folderName, template: templateName, json, isHelp } = parseCommandLine(argv);
    if (isHelp) {
      io.out(help);
      return 0;
    }
    // Checked before the first prompt.
    if (templateName !== undefined) findTemplate(command, templateName);
    const questions = json ? undefined : io.questions;
    const folder =
      folderName ??
      (questions ? await questions.folder() : refuseMissing("folder", "npm create qkv@latest my-app"));
    if (folder === undefined) return cancelledCode;
    await requireEmpty(command, folder);
    const template =
      templateName ??
      (questions
        ? await questions.template()
        : refuseMissing("template", `--template ${templates[0]!.name}`));
    if (template === undefined) return cancelledCode;
    const project = await createProject(folder, { template });
    if (json) io.out(`${JSON.stringify(project)}\n`);
    else
      io.out(
        `${project.folder} is ready. Next:\n\n${project.commands.map((line) => `  ${line}\n`).join("")}\n`,
      );
    return 0;
  } catch (error) {
    io.err(`${isQkvError(error) ? error.message : String(error)}\n`);
    return 1;
  }
}

function parseCommandLine(argv: readonly string[]) {
  const check = checks(command);
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        template: { type: "string", short: "t" },
        json: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    if (positionals.length <= 1)
      return { folder: positionals[0], template: values.template, json: values.json, isHelp: values.help };
    return check.refuse({
      argument: "folder",
      received: positionals.join(" "),
      expected: "one folder",
      fix: "put a name with spaces in quotes; options follow `--`.",
    });
  } catch (cause) {
    if (isQkvError(cause)) throw cause;
    return check.refuse({
      argument: "options",
      received: argv.join(" "),
      expected: "the options --template NAME, --json and --help",
      fix: "leave the others out; `--help` describes them.",
      cause,
    });
  }
}

function refuseMissing(argument: string, example: string): never {
  return checks(command).refuse({
    argument,
    received: undefined,
    expected: `a ${argument}, as there is no terminal to ask in`,
    fix: `write it: \`${example}\`.`,
  });
}

function processIo(): Io {
  const isTerminal = process.stdin.isTTY === true && process.stdout.isTTY === true;
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    questions: isTerminal ? terminalQuestions : undefined,
  };
}
