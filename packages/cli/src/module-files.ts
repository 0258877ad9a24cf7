/** The file with the modules of a sentence-transformers model. */
export const modulesFile = "modules.json";

/** Further files of sentence-transformers: prompts, and the maximum length. */
const settings = ["config_sentence_transformers.json", "sentence_bert_config.json"];

/** Files in the folder of a module, by its kind. */
const filesByKind: Readonly<Record<string, readonly string[]>> = {
  Pooling: ["config.json"],
  Dense: ["config.json", "model.safetensors"],
};

/** Files of all modules in the text of `modules.json`, and the further files. */
export function moduleFiles(text: string): string[] {
  const list: unknown = JSON.parse(text);
  const modules = Array.isArray(list) ? (list as { type?: unknown; path?: unknown }[]) : [];
  const files = modules.flatMap(({ type, path }) => {
    const kind = String(type).split(".").at(-1)!;
    const isFolder = /^[\w-]+$/.test(String(path));
    const names = isFolder && Object.hasOwn(filesByKind, kind) ? filesByKind[kind]! : [];
    return names.map((name) => `${String(path)}/${name}`);
  });
  return [...files, ...settings];
}
