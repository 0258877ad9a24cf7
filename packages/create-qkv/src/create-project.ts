import { checks, nearestName } from "@qkv/core";
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
  /** Its folder, absolute. */
  folder: string;
  template: string;
  /** The next commands, from the folder in which it was created. */
  commands: string[];
};

/**
 * Creates a project: copies a template into a folder that is empty or not there yet.
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
  const place = relative(process.cwd(), path);
  return {
    folder: path,
    template: name,
    commands: [...(place ? [`cd ${quoted(place)}`] : []), ...template.commands],
  };
}

/** Finds a template by name, for a function that errors name. */
export function findTemplate(fn: string, name: string): ProjectTemplate {
  const names = templates.map((one) => one.name);
  const found = templates.find((one) => one.name === name);
  if (found) return found;
  const near = typeof name === "string" ? nearestName(name, names) : undefined;
  return checks(fn).refuse({
    argument: "template",
    received: name,
    expected: `one of ${names.join(", ")}`,
    fix: near === undefined ? "choose one of these." : `write \`${near}\`.`,
  });
}

/** Refuses a folder in which something is already. */
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
  // Made by `git init`.
  const others = files.filter((file) => file !== ".git");
  if (others.length > 0) {
    const shown = `${others.slice(0, 3).join(", ")}${others.length > 3 ? ", …" : ""}`;
    refuse(`a folder that is empty or not there yet, and it has ${shown}`);
  }
}

/** A path as a shell reads it. */
const quoted = (path: string): string => (/^[\w./\\-]+$/.test(path) ? path : JSON.stringify(path));
