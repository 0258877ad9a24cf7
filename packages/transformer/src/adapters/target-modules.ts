import type { LoraConfig } from "./lora-config.js";

/** A choice of modules: suffixes of names, or a regular expression for whole names. */
type Names = string | readonly string[];

/**
 * Returns a predicate that is true for the modules that a configuration adapts.
 *
 * @param outputProjection - Name of the output projection, which `"all-linear"` excludes.
 */
export function targetModules(
  config: LoraConfig,
  outputProjection: string | undefined,
): (module: string, isTable: boolean) => boolean {
  const { target_modules: targets, exclude_modules: excluded, layers_to_transform: layers } = config;
  const patterns = [config.layers_pattern ?? []].flat() as string[];
  const inLayers = (module: string): boolean => {
    if (layers === undefined || layers === null) return true;
    const path = patterns.length > 0 ? `(?:${patterns.join("|")})` : "[^.]*";
    const number = new RegExp(`(?:^|\\.)${path}\\.(\\d+)\\.`).exec(module)?.[1];
    return number !== undefined && [layers].flat().includes(Number(number));
  };
  return (module, isTable) => {
    if (excluded && isNamed(module, excluded)) return false;
    if (!inLayers(module)) return false;
    if (targets === "all-linear") return !isTable && module !== outputProjection;
    return isNamed(module, targets);
  };
}

/** True if a suffix in the list, or the regular expression, matches the name of a module. */
export const isNamed = (module: string, names: Names): boolean =>
  typeof names === "string"
    ? new RegExp(`^(?:${names})$`).test(module)
    : names.some((name) => module === name || module.endsWith(`.${name}`));
