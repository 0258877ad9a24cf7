import { base64Bytes } from "./base64-bytes.js";

/** Text files by name, and `model.safetensors` in base64. */
export type EmbeddedFiles = { readonly texts: Readonly<Record<string, string>>; readonly weights: string };

/** The files of a model, new objects at each call. */
export function embeddedFiles({ texts, weights }: EmbeddedFiles): File[] {
  return [
    ...Object.entries(texts).map(([name, text]) => new File([text], name)),
    new File([base64Bytes(weights)], "model.safetensors"),
  ];
}
