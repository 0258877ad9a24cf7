import { checks } from "@qkv/core";
import {
  fileSystem,
  findFile,
  kindOfPath,
  openFile,
  readWhole,
  smallFiles,
  sourceUrl,
  type OpenOptions,
  type ReadOptions,
} from "@qkv/core/byte-source";

/**
 * Reads the files of a tokenizer, as `loadTokenizer` takes them.
 *
 * @param source - A folder or a file by its path (in Node) or URL. The files that belong to a file are read beside it: the
 *   configuration of a `tokenizer.json`, the merges of a `vocab.json`. Links that lead out of a folder are refused; those
 *   of the hub's cache, which stay among the files of the model, are followed. Or a list of files, such as those that a user
 *   chose in a page.
 * @param options - `signal`, `onProgress`, `idleTimeoutMs`, `maxBytes`. Default: files of at most 128 MiB.
 * @returns The bytes of each file by its name. Of a GGUF file its start, with the vocabulary.
 * @throws {ArgumentError} If there is no such path, it holds no tokenizer, or a file cannot be read.
 * @throws {FormatError} If a file is larger than `maxBytes`. The signal's reason, when it aborts.
 *
 * @example
 * ```ts
 * import { mkdtemp, writeFile } from "node:fs/promises";
 * import { tmpdir } from "node:os";
 * import { readTokenizerFiles } from "@qkv/tokenizer";
 *
 * const folder = await mkdtemp(`${tmpdir()}/tokenizer-`);
 * await writeFile(`${folder}/vocab.txt`, "[UNK]\nhello");
 * Object.keys(await readTokenizerFiles(folder)); // => ["vocab.txt"]
 * ```
 */
export async function readTokenizerFiles(
  source: string | URL | readonly File[],
  options?: ReadOptions,
): Promise<Record<string, Uint8Array>> {
  return readFilesFor("readTokenizerFiles", source, options);
}

/** Reads the files on behalf of a function that errors name. */
export async function readFilesFor(
  fn: string,
  source: string | URL | readonly File[],
  options?: ReadOptions,
): Promise<Record<string, Uint8Array>> {
  const check = checks(fn, { argument: "source" });
  check.each(
    { source },
    (value) => typeof value === "string" || value instanceof URL || isFiles(value),
    "a folder or a file, by its path or URL, or a list of files",
    "a tokenizer is in the folder of its model: give that folder.",
  );
  const readOptions = check.options(options, ["signal", "onProgress", "idleTimeoutMs", "maxBytes"]);
  const openOptions = { check, ...readOptions };
  if (isFiles(source)) return readFileList(source, openOptions);
  const url = sourceUrl(source);
  if (url) return readFromServer(url, openOptions);
  const path =
    source instanceof URL || source.startsWith("file://") ? filePath(new URL(source)) : String(source);
  const kind = await kindOfPath(path);
  if (kind === undefined) {
    // Without a file system, this throws an error that states it.
    if (!fileSystem()) await openFile(path, openOptions);
    const isRepository = /^[\w-][\w.-]*\/[\w-][\w.-]*$/.test(path);
    return check.refuse({
      received: path,
      expected: "a folder or a file that exists",
      fix: isRepository
        ? `for a repository of the hub, \`load("${path}")\` of \`@qkv/transformer\` brings the tokenizer with the model; here give the folder that holds its files.`
        : "check the path; relative paths start from the folder the program was started in.",
    });
  }
  const [, parent = ".", fileName = path] = /^(.*)[\\/]([^\\/]+)$/.exec(path) ?? [];
  const folder = kind === "folder" ? path : parent;
  const folderFiles = await fileSystem()!
    .readdir(folder === "" ? "/" : folder)
    .catch((cause: unknown) =>
      check.refuse({
        received: folder,
        expected: "a folder that may be read",
        fix: "check its permissions.",
        cause,
      }),
    );
  const names =
    kind === "folder"
      ? selectFiles(folderFiles.filter((name) => tokenizerFiles.test(name)))
      : [fileName, ...relatedFiles(fileName, folderFiles)];
  if (kind === "folder" && !names.some((name) => name !== configuration))
    refuseEmpty(path, folderFiles, openOptions);
  const files: Record<string, Uint8Array> = {};
  const within = kind === "folder" ? { within: folder } : {};
  for (const name of names) {
    files[name] = await readStart(`${folder}/${name}`, { ...openOptions, ...within });
  }
  return files;
}

const isFiles = (value: unknown): value is readonly File[] =>
  Array.isArray(value) && value.every((each) => each instanceof Blob && "name" in each);

/** Reads a list of `File` objects like a folder. A single file may have any name. */
async function readFileList(
  files: readonly File[],
  openOptions: OpenOptions,
): Promise<Record<string, Uint8Array>> {
  const fileNames = files.map(({ name }) => name);
  const names =
    fileNames.length === 1 ? fileNames : selectFiles(fileNames.filter((name) => tokenizerFiles.test(name)));
  if (!names.some((name) => name !== configuration))
    refuseEmpty(`${fileNames.length} files`, fileNames, openOptions);
  const entries = files
    .filter(({ name }) => names.includes(name))
    .map(async (file) => [file.name, await readStart(file, openOptions)] as const);
  return Object.fromEntries(await Promise.all(entries));
}

const configuration = "tokenizer_config.json";

const tokenizerFiles =
  /\.(gguf|model|tiktoken)$|(^|[-_.])source\.spm$|(^|[-_.])tokenizer(_config)?\.json$|(vocab|encoder)\.json$|(merges|vocab)\.txt$|vocab\.bpe$|^tok.*\.bin$/i;

/** Files that belong to a tokenizer file: the configuration of `tokenizer.json`, the merges of `vocab.json`, the ids of `source.spm`. */
function relatedFiles(name: string, folderFiles: readonly string[]): string[] {
  if (/tokenizer\.json$/i.test(name)) return folderFiles.filter((other) => other === configuration);
  if (/source\.spm$/i.test(name)) return folderFiles.filter((other) => other === "vocab.json");
  if (/(vocab|encoder)\.json$/i.test(name))
    return folderFiles.filter((other) => /(merges\.txt|vocab\.bpe)$/i.test(other));
  if (/(merges\.txt|vocab\.bpe)$/i.test(name))
    return folderFiles.filter((other) => /(vocab|encoder)\.json$/i.test(other));
  return [];
}

/** Chooses files of a folder with several tokenizers: with a `tokenizer.json`, weights need not be read. */
function selectFiles(names: readonly string[]): readonly string[] {
  const json = names.filter((name) => /tokenizer(_config)?\.json$/i.test(name));
  return json.some((name) => /tokenizer\.json$/i.test(name)) ? json : names;
}

function refuseEmpty(folder: string, folderFiles: readonly string[], { check }: OpenOptions): never {
  const shown = folderFiles.slice(0, 8).join(", ");
  return check.refuse({
    received: folder,
    expected:
      "a folder with a tokenizer: tokenizer.json, *.gguf, *.model, source.spm and vocab.json, vocab.json and merges.txt, *.tiktoken, vocab.txt or tok*.bin",
    fix:
      folderFiles.length === 0
        ? "the folder is empty."
        : `it holds ${shown}; the model's page on the hub has its tokenizer's file, too.`,
  });
}

/** Reads the start of a GGUF file, which contains the vocabulary, instead of the whole model. */
async function readStart(source: string | URL | File, openOptions: OpenOptions): Promise<Uint8Array> {
  const name = source instanceof Blob ? source.name : String(source);
  const limits = name.endsWith(".gguf") ? {} : smallFiles.tokenizer;
  const file = await openFile(source, { ...limits, ...openOptions });
  return file.read(0, Math.min(file.size, smallFiles.tokenizer.maxBytes));
}

/** Sets of tokenizer files to try in a folder on a server, which cannot be listed: the first complete set is used. */
const serverFileSets: readonly (readonly string[])[] = [
  ["tokenizer.json"],
  ["tokenizer.model"],
  ["source.spm", "vocab.json"],
  ["vocab.json", "merges.txt"],
  ["vocab.txt"],
];

async function readFromServer(url: URL, openOptions: OpenOptions): Promise<Record<string, Uint8Array>> {
  const folder = new URL(url);
  const lastSegment = /[^/]*$/.exec(url.pathname)![0];
  const isFile = tokenizerFiles.test(lastSegment) || /\.(bin|[cm]?js)$/i.test(lastSegment);
  if (isFile) folder.pathname = folder.pathname.slice(0, -lastSegment.length);
  else if (lastSegment !== "") folder.pathname += "/";
  const find = async (name: string) => {
    const fileUrl = new URL(folder);
    fileUrl.pathname += name;
    const file = await findFile(fileUrl, { ...smallFiles.tokenizer, ...openOptions });
    return file && ([name, await readWhole(file)] as const);
  };
  const files: Record<string, Uint8Array> = isFile
    ? { [lastSegment]: await readStart(url, openOptions) }
    : {};
  const related = isFile ? relatedFiles(lastSegment, ["merges.txt", "vocab.json"]) : [];
  for (const names of isFile ? [related] : serverFileSets) {
    const found = await Promise.all(names.map(find));
    if (found.some((file) => file === undefined)) continue;
    Object.assign(files, Object.fromEntries(found.filter((file) => file !== undefined)));
    break;
  }
  if (Object.keys(files).length === 0) {
    openOptions.check.refuse({
      received: url.href,
      expected:
        "a folder with tokenizer.json, tokenizer.model, source.spm and vocab.json, vocab.json and merges.txt, or vocab.txt, and the server has none",
      fix: "give the address of the tokenizer's file; of a repository of the hub, https://huggingface.co/OWNER/NAME/resolve/main/.",
    });
  }
  const config =
    Object.keys(files).some((name) => /tokenizer\.json$/i.test(name)) && (await find(configuration));
  return config ? { ...files, [config[0]]: config[1] } : files;
}

/** The path of a file's URL, on Windows without the slash in front of the drive. */
function filePath(url: URL): string {
  return decodeURIComponent(url.pathname).replace(/^\/([a-z]:)/i, "$1");
}
