/** Texts by the names of their files, and the bytes of `model.safetensors` in base64. */
export type EmbeddedFiles = { readonly texts: Readonly<Record<string, string>>; readonly weights: string };

/** Files of their own at each call. */
export function filesOf({ texts, weights }: EmbeddedFiles): File[] {
  const characters = atob(weights);
  const bytes = new Uint8Array(characters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = characters.charCodeAt(i);
  return [
    ...Object.entries(texts).map(([name, text]) => new File([text], name)),
    new File([bytes], "model.safetensors"),
  ];
}
