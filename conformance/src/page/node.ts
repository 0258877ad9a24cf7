// Replacements in the page for Node's modules, with which the families read files. The runner's server has the files,
// and unpacks packed ones.

type Answer = { status: number; text: string };

/** Requests synchronously: families read files as in Node. */
function ask(path: string, binary = false): Answer {
  const request = new XMLHttpRequest();
  request.open("GET", path, false);
  if (binary) request.overrideMimeType("text/plain; charset=x-user-defined");
  request.send();
  return { status: request.status, text: request.responseText };
}

export const existsSync = (path: string): boolean =>
  ask(`/exists?${encodeURIComponent(path)}`).text === "true";

export function readdirSync(path: string, options?: { withFileTypes: boolean }) {
  const entries = JSON.parse(ask(`/list?${encodeURIComponent(path)}`).text) as {
    name: string;
    folder: boolean;
  }[];
  if (!options?.withFileTypes) return entries.map(({ name }) => name);
  return entries.map(({ name, folder }) => ({ name, isDirectory: () => folder }));
}

export function readFileSync(path: string, encoding?: "utf8") {
  const { status, text } = ask(path, encoding === undefined);
  if (status !== 200) throw new Error(`no file ${path}`);
  return encoding === "utf8" ? text : Uint8Array.from(text, (letter) => letter.charCodeAt(0) & 255);
}

/** The server has no packed files: no folder is unpacked here. */
function refuseWriting(): never {
  throw new Error("a page writes no files");
}
export const mkdirSync = refuseWriting;
export const writeFileSync = refuseWriting;
export const renameSync = refuseWriting;

export const join = (...parts: string[]): string => parts.join("/").replace(/\/\.\//g, "/");
export const dirname = (path: string): string => path.slice(0, path.lastIndexOf("/"));
export const basename = (path: string, ending = ""): string => {
  const name = path.slice(path.lastIndexOf("/") + 1);
  return ending !== "" && name.endsWith(ending) ? name.slice(0, -ending.length) : name;
};

export const createRequire = () => ({
  resolve(name: string): string {
    const { status, text } = ask(`/resolve?${encodeURIComponent(name)}`);
    if (status !== 200) throw new Error(`no package ${name}`);
    return text;
  },
});

/** The runner's server sends files unpacked. */
export const gunzipSync = (bytes: Uint8Array): Uint8Array => bytes;

export const fileURLToPath = (url: string): string => url;
export const pathToFileURL = (path: string): { href: string } => ({ href: path });
