import type { DataFolder } from "../../data-folder.mjs";

/** The files of a model's folder, with one of its configurations, and those of its modules by their paths. */
export function modelFiles(data: DataFolder, path: string, config = "config.json"): File[] {
  const fileOf = (name: string, as = name) => new File([data.bytes(`${path}/${name}`) as BlobPart], as);
  const weights = data.names(path).filter((name) => /\.safetensors(\.index\.json)?$/.test(name));
  return [fileOf(config, "config.json"), ...weights.map((name) => fileOf(name))];
}
