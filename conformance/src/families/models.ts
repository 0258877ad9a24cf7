import type { Source } from "../case.js";
import { foldersIn, namesIn, notYetSource } from "../data-files.js";
import { llama2c } from "./llama2c.js";

/** Recognises a model folder by what it holds, and gives its cases; `undefined` if the folder is not its kind. */
export type Loader = (dataDir: string, family: string) => Source | undefined;

const loaders: readonly Loader[] = [llama2c];

/** `models/NAME/`: a model with a `refs.json`. The family is the folder's name. */
export function models(dataDir: string): Source[] {
  return foldersIn(dataDir, "models").flatMap((family) => {
    const folder = `models/${family}`;
    const known = loaders.map((loader) => loader(dataDir, family)).find((source) => source !== undefined);
    const main =
      known ?? notYetSource(dataDir, family, `${folder}/refs.json`, "no loader for this model yet");
    return [main, ...lossSource(dataDir, family)];
  });
}

/** `loss.json` states figures of a whole model rather than cases of it: listed until there is a loss to compare. */
function lossSource(dataDir: string, family: string): Source[] {
  if (!namesIn(dataDir, `models/${family}`).includes("loss.json")) return [];
  const reason = "arrives with training";
  return [{ family, file: `models/${family}/loss.json`, cases: [], notYet: reason }];
}
