import { checks, nearestName, knownNames } from "@qkv/core";
import { mkdir, readdir } from "node:fs/promises";
import { relative, resolve } from "node:path";
import { copyTemplate } from "./copy-template.js";
import { templates, type ProjectTemplate } from "./templates.js";

declare const __QKV_VERSION__: string;

export type CreateOptions = {
  /** Name of the template: `vite`, `next`, `node`, `worker` or `html`. */
  template: string;
};

/** A project that was created. */
export type CreatedProject = {
  /** Absolute path of its folder. */
  folder: string;
  template: string;
  /** The next commands to run, in the current folder. */
  commands: string[];
};

/**
 * Creates a project: copies a template into an empty or new folder.
 *
 * @param folder - Path of the folder, relative to the current one.
 * @throws {ArgumentError} If the folder has files or is a file, or there is no such template.
 *
 * @example
 * ```ts
 * import { createProject } from "create-qkv";
 *
 * await createProject(".", { template: "vite" }); // => throws ArgumentError
 * ```
 */
export async function createProject(folder: string, options: CreateOptions): Promise<CreatedProject> {
  const check = checks("createProject");
  const { template: name } = check.options(options, ["template"]);
  check.each(
    { folder },
    (value) => typeof value === "string" && value !== "",
    "the path of a folder",
    "give the name of a new folder.",
  );
  const template = findTemplate("createProject", name);
  const path = resolve(folder);
  await requireEmpty("createProject", folder);
  await mkdir(path, { recursive: true });
  await copyTemplate(new URL(`./templates/${name}/`, import.meta.url), path, __QKV_VERSION__);
  const relativePath = relative(process.cwd(), path);
  return {
    folder: path,
    template: name,
    commands: [...(relativePath ? [`cd ${quoteForShell(relativePath)}`] : []), ...template.commands],
  };
}

/** Finds a template by name. `fn`: the function that errors name. */
export function findTemplate(fn: string, name: string): ProjectTemplate {
  const names = templates.map((template) => template.name);
  const found = templates.find((template) => template.name === name);
  if (found) return found;
  const near = typeof name === "string" ? nearestName(name, names) : undefined;
  return checks(fn).refuse({
    argument: "template",
    received: name,
    expected: `one of ${knownNames(name, names, "`create-qkv --help`")}`,
    fix: near === undefined ? "choose one of these." : `write \`${near}\`.`,
  });
}

/** Refuses a folder that is not empty. `fn`: the function that errors name. */
export async function requireEmpty(fn: string, folder: string): Promise<void> {
  const refuse = (expected: string): never =>
    checks(fn).refuse({
      argument: "folder",
      received: folder,
      expected,
      fix: "name another folder, or empty this one first: nothing is overwritten.",
    });
  const files = await readdir(resolve(folder)).catch(({ code }: NodeJS.ErrnoException) => {
    if (code === "ENOENT") return [];
    return refuse(`a folder that is empty or not there yet, and reading it gives ${code}`);
  });
  // A new Git repository counts as empty.
  const existing = files.filter((file) => file !== ".git");
  if (existing.length > 0) {
    const shown = `${existing.slice(0, 3).join(", ")}${existing.length > 3 ? ", …" : ""}`;
    refuse(`a folder that is empty or not there yet, and it has ${shown}`);
  }
}

/** Quotes a path for a shell, if needed. */
const quoteForShell = (path: string): string => (/^[\w./\\-]+$/.test(path) ? path : JSON.stringify(path));
