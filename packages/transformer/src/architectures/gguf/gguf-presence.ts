import type { ConfigFields } from "../config-fields.js";

/**
 * The name of an internal field with the indices of the layers in which a file has a tensor. llama.cpp derives this from the
 * tensors: GGUF has no key for it. The reader of GGUF files adds the field, and the writer omits it.
 *
 * @param stem - Part of the tensor name, such as `ssm_norm` for `blk.0.ssm_norm.weight`.
 */
export const presence = (stem: string): string => `${prefix}${stem}`;

const prefix = "layers with ";

/** True for the name of an internal field of {@link presence}. */
export const isPresence = (name: string): boolean => name.startsWith(prefix);

/** Indices of the layers in which a file has a tensor, from the internal field. */
export const layersWith = (fields: ConfigFields, stem: string): ReadonlySet<unknown> =>
  new Set(fields.list(presence(stem)));

/** Indices of the layers in which a file has a tensor, from its tensor names. */
export function presentIn(names: readonly string[], stem: string): number[] {
  const pattern = /^blk\.(\d+)\.(\w+)\.weight$/;
  return names.flatMap((name) => {
    const [, layer, layerStem] = pattern.exec(name) ?? [];
    return layerStem === stem ? [Number(layer)] : [];
  });
}
