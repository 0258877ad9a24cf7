// The project of one user: a fresh folder in which a package is installed and its examples are modules.
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { compileExample } from "../tests/example.ts";

const tests = fileURLToPath(new URL("../tests/", import.meta.url));
const minutes = 5;

/** Entries that need files or a process, so that no page has them. */
const nodeOnly = new Set(["qkv", "@qkv/kv-cache/offload"]);

export class Project {
  /**
   * @param {string} folder - An empty folder.
   * @param {{ name: string, json: Record<string, any> }} package_
   * @param {{ install: string[], examples: object[] }} readme
   * @param {NodeJS.ProcessEnv} env - Names the registry.
   */
  constructor(folder, { name, json }, readme, env) {
    Object.assign(this, { folder, name, json, readme, env });
    this.write("package.json", JSON.stringify({ name: "user", private: true, type: "module" }));
  }

  write(path, text) {
    const at = join(this.folder, path);
    mkdirSync(dirname(at), { recursive: true });
    writeFileSync(at, text);
  }

  read(path) {
    return readFileSync(join(this.folder, path), "utf8");
  }

  /** Installs with npm what the README says, and what else this kind of user has. */
  async install(...more) {
    await this.runInstaller("npm", ["install", "--ignore-scripts", ...this.readme.install, ...more]);
  }

  /** Installs with another program. */
  async runInstaller(program, args) {
    await this.run(program, args);
    this.installed = true;
  }

  /**
   * Runs a program in the project.
   *
   * @returns {Promise<string>} What it said on stdout.
   * @throws {Error} With all that it said, if it fails or does not end.
   */
  run(program, args) {
    return new Promise((resolve, reject) => {
      const child = spawn(program, args, {
        cwd: this.folder,
        env: this.env,
        stdio: ["ignore", "pipe", "pipe"],
        shell: process.platform === "win32",
      });
      const said = { stdout: "", stderr: "" };
      for (const stream of ["stdout", "stderr"]) child[stream].on("data", (text) => (said[stream] += text));
      const hung = setTimeout(() => child.kill("SIGKILL"), minutes * 60_000);
      child.on("error", reject);
      child.on("close", (status, signal) => {
        clearTimeout(hung);
        if (status === 0) return resolve(said.stdout);
        const how = signal ? `was ended by ${signal} (it has ${minutes} minutes)` : `ended with ${status}`;
        reject(new Error(`${program} ${args.join(" ")} ${how}:\n${said.stdout}${said.stderr}`));
      });
    });
  }

  /** What may be imported: each entry that is a module, less those named after a peer that is not among `peers`. */
  entries({ peers = [], browser = false } = {}) {
    return Object.entries(this.json.exports)
      .filter(([, to]) => typeof to !== "string") // a file that is served, or package.json, is no module
      .map(([entry]) => entry.slice(2))
      .filter((entry) => peers.includes(entry) || !(entry in (this.json.peerDependencies ?? {})))
      .map((entry) => (entry === "" ? this.name : `${this.name}/${entry}`))
      .filter((specifier) => !browser || !nodeOnly.has(specifier));
  }

  /**
   * Writes the examples as modules, and `problems.js`, whose `problems()` runs them and says what is not as it is shown.
   * `as` "commonjs" has them require what they import, in `problems.cjs`.
   */
  writeExamples(examples, as = "module") {
    for (const file of ["run-example", "matches"]) this.write(`${file}.js`, transpiled(`${tests}${file}.ts`));
    const commonjs = as === "commonjs";
    const list = examples.map((example, i) => {
      const { js, checks } = compileExample(
        example,
        commonjs ? ts.ModuleKind.CommonJS : ts.ModuleKind.ESNext,
      );
      const name = `./example-${i}.${commonjs ? "cjs" : "js"}`;
      // What waits at the top of a module waits in a function in CommonJS.
      this.write(name, commonjs ? `module.exports = (async () => {\n${js}\n})();\n` : js);
      const load = commonjs ? `() => require("${name}")` : `() => import("${name}")`;
      return `  { line: ${example.line}, checks: ${JSON.stringify(checks)}, load: ${load} },\n`;
    });
    const body = `async () => {
  const problems = [];
  for (const example of examples) problems.push(...(await runExample(example, show)));
  return problems;
};
`;
    const examplesText = `const show = (value) => String(JSON.stringify(value));\nconst examples = [\n${list.join("")}];\n`;
    if (commonjs)
      this.write(
        "problems.cjs",
        `${examplesText}exports.problems = ${body.replace("{", '{\n  const { runExample } = await import("./run-example.js");')}`,
      );
    else
      this.write(
        "problems.js",
        `import { runExample } from "./run-example.js";\n${examplesText}export const problems = ${body}`,
      );
  }
}

/** The line by which a program or a page says which problems it found. */
export const reportLine = 'console.log("problems: " + JSON.stringify(list))';

/**
 * Reads that line.
 *
 * @throws {Error} If there is none, or a problem.
 */
export function readReport(text) {
  const report = /^problems: (.*)$/m.exec(text)?.[1];
  if (report === undefined) throw new Error(`The examples did not come to their end:\n${text}`);
  const problems = JSON.parse(report);
  if (problems.length > 0) throw new Error(problems.join("\n"));
}

function transpiled(path) {
  return ts.transpileModule(readFileSync(path, "utf8"), {
    compilerOptions: {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ESNext,
      rewriteRelativeImportExtensions: true,
    },
  }).outputText;
}
