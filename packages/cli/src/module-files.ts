/** File in which sentence-transformers list the modules of a model. */
export const modulesFile = "modules.json";

/** Files beside it: prompts, and the longest text. */
const settings = ["config_sentence_transformers.json", "sentence_bert_config.json"];

/** Files of each kind of module that has some, in its folder. */
const filesOf: Readonly<Record<string, readonly string[]>> = {
  Pooling: ["config.json"],
  Dense: ["config.json", "model.safetensors"],
};

/** Files of the modules that the text of `modules.json` lists, and those beside it. */
export function moduleFiles(text: string): string[] {
  const list: unknown = JSON.parse(text);
  const modules = Array.isArray(list) ? (list as { type?: unknown; path?: unknown }[]) : [];
  const own = modules.flatMap(({ type, path }) => {
    const kind = String(type).split(".").at(-1)!;
    const isFolder = /^[\w-]+$/.test(String(path));
    const names = isFolder && Object.hasOwn(filesOf, kind) ? filesOf[kind]! : [];
    return names.map((name) => `${String(path)}/${name}`);
  });
  return [...own, ...settings];
}
