// The project of one user: a fresh folder in which a package is installed and its examples are modules.
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { publicPackages } from "../scripts/packages.mjs";
import { compileExample } from "../tests/example.ts";
import { inFunction } from "./in-function.mjs";

const tests = fileURLToPath(new URL("../tests/", import.meta.url));
const minutes = 5;
/** Peers that any of our packages may be used with. */
const allPeers = new Set(publicPackages().flatMap(({ json }) => Object.keys(json.peerDependencies ?? {})));

/** Entries that need files or a process, so that no page has them. */
export const nodeOnly = new Set([
  "qkv/command",
  "create-qkv",
  ...["device/file-storage", "kv-cache/offload"].flatMap((entry) => [`@qkv/${entry}`, `qkv/${entry}`]),
]);

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
   * Runs a program in the project, or in another folder.
   *
   * @returns {Promise<string>} What it said on stdout.
   * @throws {Error} With all that it said, if it fails or does not end.
   */
  run(program, args, cwd = this.folder) {
    return new Promise((resolve, reject) => {
      const child = spawn(program, args, {
        cwd,
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

  /**
   * Entries that may be imported: modules, less those named after a peer that is not among `peers`, such as `viz/react`
   * of qkv.
   */
  entries({ peers = [], browser = false } = {}) {
    return Object.entries(this.json.exports)
      .filter(([, to]) => typeof to !== "string") // a file that is served, or package.json, is no module
      .map(([entry]) => entry.slice(2))
      .filter((entry) => {
        const name = basename(entry);
        if (peers.includes(name)) return true;
        return entry.includes("/") ? !allPeers.has(name) : !(name in (this.json.peerDependencies ?? {}));
      })
      .map((entry) => (entry === "" ? this.name : `${this.name}/${entry}`))
      .filter((specifier) => !browser || !nodeOnly.has(specifier));
  }

  /**
   * Writes the examples as modules, and `problems.js`, whose `problems()` runs them and says what is not as it is shown;
   * with `as` "commonjs" all of it in `.cjs`.
   */
  writeExamples(examples, as = "module") {
    const extension = as === "commonjs" ? "cjs" : "js";
    const write = (name, code) => this.write(`${name}.${extension}`, emitted(code, as));
    for (const file of ["run-example", "matches"]) write(file, readFileSync(`${tests}${file}.ts`, "utf8"));
    const compiled = examples.map((example, i) => {
      const { js, checks } = compileExample(example);
      write(`example-${i}`, inFunction(js));
      return { line: example.line, checks };
    });
    const from = (name) => JSON.stringify(`./${name}.${extension}`);
    write(
      "problems",
      `import { runExample } from ${from("run-example")};
${compiled.map((_, i) => `import run${i} from ${from(`example-${i}`)};\n`).join("")}
const examples = [
${compiled.map((each, i) => `  { ...${JSON.stringify(each)}, load: run${i} },\n`).join("")}];
export async function problems() {
  const problems = [];
  for (const example of examples)
    problems.push(...(await runExample(example, (value) => String(JSON.stringify(value)))));
  return problems;
}
`,
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

function emitted(code, as) {
  const { outputText } = ts.transpileModule(code, {
    compilerOptions: {
      target: ts.ScriptTarget.ES2022,
      module: as === "commonjs" ? ts.ModuleKind.CommonJS : ts.ModuleKind.ESNext,
    },
  });
  return outputText.replaceAll(/"\.\/([a-z-]+)\.ts"/g, `"./$1.${as === "commonjs" ? "cjs" : "js"}"`);
}
