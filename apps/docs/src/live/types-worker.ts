// TypeScript for the code of an example, in a worker that starts when the reader first uses an editor: completions,
// types of names, and errors.
import ts from "typescript";

export type TypesQuestion =
  | { type: "complete"; code: string; at: number }
  | { type: "hover"; code: string; at: number }
  | { type: "problems"; code: string };
export type Completion = { name: string; kind: string };
export type Hover = { text: string; doc: string; from: number; to: number };
export type Problem = { text: string; from: number; to: number };
export type TypesAnswer = { completions?: Completion[]; from?: number; hover?: Hover; problems?: Problem[] };

const file = "/example.ts";
const settings: ts.CompilerOptions = {
  target: ts.ScriptTarget.ESNext,
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  moduleDetection: ts.ModuleDetectionKind.Force,
  lib: ["lib.esnext.d.ts", "lib.webworker.d.ts"],
  strict: true,
  skipLibCheck: true,
  noEmit: true,
  types: [],
};

let code = "";
let version = 0;

/** A language service over files by path; the declarations of the packages are in /node_modules. */
function serviceOf(files: Record<string, string>): ts.LanguageService {
  const folders = new Set<string>();
  for (const path of Object.keys(files)) {
    for (let at = path.lastIndexOf("/"); at > 0; at = path.lastIndexOf("/", at - 1))
      folders.add(path.slice(0, at));
  }
  const read = (path: string) => (path === file ? code : files[path]);
  return ts.createLanguageService({
    getCompilationSettings: () => settings,
    getScriptFileNames: () => [file],
    getScriptVersion: (path) => (path === file ? String(version) : "1"),
    getScriptSnapshot: (path) => {
      const text = read(path);
      return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
    },
    getCurrentDirectory: () => "/",
    getDefaultLibFileName: () => "/lib/lib.esnext.d.ts",
    fileExists: (path) => read(path) !== undefined,
    readFile: read,
    directoryExists: (path) => folders.has(path.replace(/\/$/, "")),
    getDirectories: (path) => [
      ...new Set(
        [...folders]
          .filter((folder) => folder.startsWith(`${path.replace(/\/$/, "")}/`))
          .map((folder) => folder.slice(path.replace(/\/$/, "").length + 1).split("/")[0]!),
      ),
    ],
  });
}

/** Responds to one request. */
export function answer(service: ts.LanguageService, question: TypesQuestion): TypesAnswer {
  if (question.code !== code) [code, version] = [question.code, version + 1];
  if (question.type === "complete") {
    const found = service.getCompletionsAtPosition(file, question.at, {
      includeCompletionsWithInsertText: false,
    });
    const before = /[\w$]*$/.exec(code.slice(0, question.at))?.[0] ?? "";
    const entries = found?.entries.filter(({ kind }) => kind !== ts.ScriptElementKind.warning) ?? [];
    // Without a prefix or a dot, every global name would be offered.
    const narrowed = found?.isMemberCompletion
      ? entries
      : entries.filter(({ name }) => before && name.startsWith(before));
    return {
      from: question.at - before.length,
      completions: narrowed.slice(0, 200).map(({ name, kind }) => ({ name, kind })),
    };
  }
  if (question.type === "hover") {
    const info = service.getQuickInfoAtPosition(file, question.at);
    if (!info) return {};
    const { start, length } = info.textSpan;
    return {
      hover: {
        text: ts.displayPartsToString(info.displayParts),
        doc: ts.displayPartsToString(info.documentation).split("\n\n")[0] ?? "",
        from: start,
        to: start + length,
      },
    };
  }
  const problems = [...service.getSyntacticDiagnostics(file), ...service.getSemanticDiagnostics(file)];
  return {
    problems: problems.map(({ messageText, start = 0, length = 0 }) => ({
      text: ts.flattenDiagnosticMessageText(messageText, "\n"),
      from: start,
      to: start + length,
    })),
  };
}

let service: Promise<ts.LanguageService> | undefined;

/** The service over the declarations at a URL: one JSON file, from path to text. */
export function serviceFrom(address: string): Promise<ts.LanguageService> {
  return (service ??= fetch(address).then(async (response) =>
    serviceOf((await response.json()) as Record<string, string>),
  ));
}

export { serviceOf };

// Workers have no document; in Node, tests call the service directly.
if (typeof self !== "undefined" && typeof document === "undefined") {
  self.addEventListener(
    "message",
    async ({ data }: MessageEvent<{ id: number; types: string; question: TypesQuestion }>) => {
      try {
        self.postMessage({ id: data.id, answer: answer(await serviceFrom(data.types), data.question) });
      } catch (error) {
        self.postMessage({ id: data.id, error: String(error) });
      }
    },
  );
}
