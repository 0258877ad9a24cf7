import { cp, readFile, rename, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Copies a template into a folder, and gives the project its name and the version of `qkv`. */
export async function copyTemplate(template: URL, folder: string, version: string): Promise<void> {
  await cp(fileURLToPath(template), folder, { recursive: true });
  // npm packs no file that is named `.gitignore`.
  await rename(join(folder, "gitignore"), join(folder, ".gitignore")).catch(() => undefined);
  await change(join(folder, "package.json"), (text) => {
    const json = JSON.parse(text) as { dependencies: Record<string, string> };
    json.dependencies["qkv"] = `^${version}`;
    return `${JSON.stringify({ ...json, name: projectName(folder) }, null, 2)}\n`;
  });
  // An address of a CDN has the part of a version within which nothing breaks.
  const [major, minor] = version.split(".");
  const range = major === "0" ? `${major}.${minor}` : major;
  await change(join(folder, "index.html"), (text) =>
    text.replaceAll("/npm/qkv@latest/", `/npm/qkv@${range}/`),
  );
}

/** A name that npm accepts, from that of the folder. */
function projectName(folder: string): string {
  const name = basename(folder)
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, "-")
    .replace(/^[._-]+|[-]+$/g, "");
  return name === "" ? "qkv-app" : name;
}

/** Changes a text file, if it is there. */
async function change(path: string, changed: (text: string) => string): Promise<void> {
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text !== undefined) await writeFile(path, changed(text));
}
