import { VersionError } from "./errors.js";

/** The value of the brand property of a branded object. */
export type Stamp = {
  /** Number of the contract: raised when values change in a way that older code cannot use. */
  readonly contract: number;
  /** Version of the package that created the value. */
  readonly version: string;
};

/** Recognizes values of one kind, whichever copy of the package created them. */
export type Brand = {
  /**
   * The symbol of the property that holds the stamp: the same in every copy of the package. Its type is `unique symbol`, since
   * before TypeScript 5.8 a class can declare no property with another symbol.
   */
  readonly key: unique symbol;
  readonly stamp: Stamp;
  /**
   * True for a value of this kind with the same contract.
   *
   * @throws {VersionError} If the value is of this kind, but has another contract.
   */
  has(value: unknown): boolean;
};

/**
 * Defines the brand of a kind of values, by which tensors, devices, masks and caches are recognized.
 *
 * `instanceof` fails if a program contains two copies of a package, such as its ESM and its CJS build, or versions 0.1 and 0.2.
 * A brand works across copies with the same contract; with different contracts it throws an error that names both versions.
 *
 * @param kind - Package and kind: `tensor/Tensor`.
 * @param contract - An integer, raised when values of this kind change in a way that older code cannot use.
 * @param version - Version of the package, for the error.
 *
 * @example
 * ```ts
 * import { defineBrand } from "@qkv/core";
 *
 * const brand = defineBrand("example/Thing", 1, "0.1.0");
 * const thing = { [brand.key]: brand.stamp };
 * brand.has(thing); // => true
 * brand.has({}); // => false
 * ```
 */
// @__NO_SIDE_EFFECTS__
export function defineBrand(kind: string, contract: number, version: string): Brand {
  const key: Brand["key"] = Symbol.for(`@qkv/${kind}`) as Brand["key"];
  const stamp: Stamp = { contract, version };
  return {
    key,
    stamp,
    has(value) {
      const other = (value as { [key: symbol]: Stamp | undefined } | null | undefined)?.[key];
      if (other === undefined) return false;
      if (other.contract === contract) return true;
      const [name, fn] = kind.split("/") as [string, string];
      const pkg = `@qkv/${name}`;
      throw new VersionError({
        fn,
        argument: "version",
        received: `${pkg} ${other.version} (contract ${other.contract})`,
        expected: `${pkg} ${version} (contract ${contract})`,
        fix: `two versions of ${pkg} are installed that cannot work together; run \`npm ls ${pkg}\` and align them.`,
      });
    },
  };
}
