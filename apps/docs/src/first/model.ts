import { modelTiny } from "@qkv/model-tiny";
import { load, type Model } from "@qkv/transformer";

/** The model behind the first page: our own, of this site's files. */
export async function firstModel(): Promise<Model> {
  return load(await modelTiny());
}
