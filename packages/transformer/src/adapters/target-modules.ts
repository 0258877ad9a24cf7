import type { LoraConfig } from "./lora-config.js";

/** Names that modules are chosen by: ends of names, or an expression of whole names. */
type Names = string | readonly string[];

/**
 * True for the modules that a configuration adapts.
 *
 * @param outputMap - The name of the output map, which `"all-linear"` leaves out.
 */
export function targetModules(
  config: LoraConfig,
  outputMap: string | undefined,
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
    if (targets === "all-linear") return !isTable && module !== outputMap;
    return isNamed(module, targets);
  };
}

/** True for a module that a list names by its end, or an expression whole. */
export const isNamed = (module: string, names: Names): boolean =>
  typeof names === "string"
    ? new RegExp(`^(?:${names})$`).test(module)
    : names.some((name) => module === name || module.endsWith(`.${name}`));
