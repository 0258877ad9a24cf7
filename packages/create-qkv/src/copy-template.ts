import { cp, readFile, rename, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * Copies a template into a folder, and gives the project its name and the version of `qkv`. A template that names a
 * tarball of `qkv`, as `npm run pack` writes it, keeps it.
 */
export async function copyTemplate(template: URL, folder: string, version: string): Promise<void> {
  await cp(fileURLToPath(template), folder, { recursive: true });
  // npm does not pack files named `.gitignore`.
  await rename(join(folder, "gitignore"), join(folder, ".gitignore")).catch(() => undefined);
  await editFile(join(folder, "package.json"), (text) => {
    const json = JSON.parse(text) as { dependencies: Record<string, string> };
    if (json.dependencies["qkv"] === "latest") json.dependencies["qkv"] = `^${version}`;
    return `${JSON.stringify({ ...json, name: projectName(folder) }, null, 2)}\n`;
  });
  // URLs of a CDN have a version range without breaking changes: major, or 0.minor.
  const [major, minor] = version.split(".");
  const range = major === "0" ? `${major}.${minor}` : major;
  await editFile(join(folder, "index.html"), (text) =>
    text.replaceAll("/npm/qkv@latest/", `/npm/qkv@${range}/`),
  );
}

/** A valid npm package name, from the name of the folder. */
function projectName(folder: string): string {
  const name = basename(folder)
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, "-")
    .replace(/^[._-]+|[-]+$/g, "");
  return name === "" ? "qkv-app" : name;
}

/** Edits a text file, if it exists. */
async function editFile(path: string, edit: (text: string) => string): Promise<void> {
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text !== undefined) await writeFile(path, edit(text));
}
