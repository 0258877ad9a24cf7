import type { ConfigFields } from "../config-fields.js";

/**
 * The name of a field that tells the layers in which a file has a tensor, by their numbers: what llama.cpp knows from
 * tensors, and no key says. The reader of files makes it, and the writer leaves it out.
 *
 * @param stem - Of the tensor's name, as `ssm_norm` of `blk.0.ssm_norm.weight`.
 */
export const presence = (stem: string): string => `${prefix}${stem}`;

const prefix = "layers with ";

/** True for such a field. */
export const isPresence = (name: string): boolean => name.startsWith(prefix);

/** Numbers of the layers in which a file has a tensor. */
export const layersWith = (fields: ConfigFields, stem: string): ReadonlySet<unknown> =>
  new Set(fields.list(presence(stem)));

/** The same of a file's names. */
export function presentIn(names: readonly string[], stem: string): number[] {
  const pattern = /^blk\.(\d+)\.(\w+)\.weight$/;
  return names.flatMap((name) => {
    const [, layer, own] = pattern.exec(name) ?? [];
    return own === stem ? [Number(layer)] : [];
  });
}
