import { modelTiny } from "@qkv/model-tiny";
import { load, type Model } from "@qkv/transformer";

let loading: Promise<Model> | undefined;

/** The model of `@qkv/model-tiny`, loaded once for all figures of a page. */
export async function tinyModel(): Promise<Model> {
  return (loading ??= modelTiny().then((files) => load(files)));
}
