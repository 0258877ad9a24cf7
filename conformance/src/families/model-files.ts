import type { DataFolder } from "../../data-folder.mjs";

/** The files of a model's folder by path, with one of its configurations, including those of its modules. */
export function modelFiles(data: DataFolder, path: string, config = "config.json"): File[] {
  const fileOf = (name: string, as = name) => new File([data.bytes(`${path}/${name}`) as BlobPart], as);
  const weights = data.names(path).filter((name) => /\.safetensors(\.index\.json)?$/.test(name));
  return [fileOf(config, "config.json"), ...weights.map((name) => fileOf(name))];
}

/** The name of a case: the folder, the configuration if it is an alternative, and the case's own name. */
export const caseName = (path: string, config: string, name: string): string =>
  `${path.split("/").at(-1)} ${config === "config.json" ? "" : "(v4) "}${name}`;

/** The folder of a model in Hugging Face's format: in `hf/`, otherwise in `hf-more/`. */
export const modelFolder = (data: DataFolder, name: string): string =>
  data.has(`hf/${name}/config.json`) ? `hf/${name}` : `hf-more/${name}`;
