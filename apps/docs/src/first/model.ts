import { modelTiny } from "@qkv/model-tiny";
import { load, type Model } from "@qkv/transformer";

/** The model of the first page: our small model, from the site's files. */
export async function firstModel(): Promise<Model> {
  return load(await modelTiny());
}
