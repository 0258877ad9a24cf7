import type { ConfigFields } from "../config-fields.js";

/**
 * The name of an internal field with the indices of the layers in which a file has a tensor: llama.cpp reads this from the
 * tensors, and no key states it. The reader of GGUF files adds the field, and the writer omits it.
 *
 * @param stem - Part of the tensor name, such as `ssm_norm` for `blk.0.ssm_norm.weight`.
 */
export const presence = (stem: string): string => `${prefix}${stem}`;

const prefix = "layers with ";

/** True for the name of such a field. */
export const isPresence = (name: string): boolean => name.startsWith(prefix);

/** Indices of the layers in which a file has a tensor. */
export const layersWith = (fields: ConfigFields, stem: string): ReadonlySet<unknown> =>
  new Set(fields.list(presence(stem)));

/** The same, from the tensor names of a file. */
export function presentIn(names: readonly string[], stem: string): number[] {
  const pattern = /^blk\.(\d+)\.(\w+)\.weight$/;
  return names.flatMap((name) => {
    const [, layer, own] = pattern.exec(name) ?? [];
    return own === stem ? [Number(layer)] : [];
  });
}
