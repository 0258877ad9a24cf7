import { VersionError } from "./errors.js";

/** The stamp that a branded value carries under its symbol. */
export type Stamp = {
  /** Counts the changes that make older code unable to use the value. */
  readonly contract: number;
  /** The version of the package that made the value. */
  readonly version: string;
};

/** Recognises the values of one kind, whichever copy of the package made them. */
export type Brand = {
  /**
   * The property that holds the stamp. The same in every copy of the package. A unique one for the compiler, because
   * before TypeScript 5.8 declarations of a class may name no other symbol.
   */
  readonly key: unique symbol;
  readonly stamp: Stamp;
  /**
   * Tells a `value` of this kind that is usable here.
   *
   * @throws {VersionError} If it is of this kind but made under another contract.
   */
  has(value: unknown): boolean;
};

/**
 * Makes the brand of a kind of value: how tensors, devices, masks and caches are told from other objects.
 *
 * `instanceof` fails when a program holds two copies of a package, such as its ESM beside its CJS build or 0.1
 * beside 0.2. A brand works across copies while the contract is the same, and says what happened when it is not.
 *
 * @param kind - Package and kind: `tensor/Tensor`.
 * @param contract - Whole number, raised when values of this kind change in a way that older code cannot use.
 * @param version - The version of the package, for the message.
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
