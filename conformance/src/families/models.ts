import type { DataFolder } from "../../data-folder.mjs";
import type { Source } from "../case.js";
import { notYetSource } from "../data-files.js";
import { llama2c } from "./llama2c.js";
import { loss } from "./loss.js";
import { tinyBert } from "./tiny-bert.js";
import { useLite } from "./use-lite.js";

/** Recognizes a model folder by its files, and returns its cases; `undefined` if the folder is of another kind. */
export type Loader = (data: DataFolder, family: string) => Source | undefined;

const loaders: readonly Loader[] = [llama2c, tinyBert, useLite];

const noLoader = "no loader for this model yet";

/** `models/NAME/`: a model with a `refs.json`. The family is the folder's name. */
export function models(data: DataFolder): Source[] {
  return data.folders("models").flatMap((family) => {
    const folder = `models/${family}`;
    const known = loaders.map((loader) => loader(data, family)).find((source) => source !== undefined);
    const main = known ?? notYetSource(data, family, `${folder}/refs.json`, noLoader);
    if (!data.has(`${folder}/loss.json`)) return [main];
    // Losses are computed for generative models; for others the file is listed as skipped.
    const file = `${folder}/loss.json`;
    return [main, known ? loss(data, family) : { family, file, cases: [], notYet: noLoader }];
  });
}
