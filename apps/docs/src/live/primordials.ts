// Built-in functions that the guard of live code uses, copied before any live code runs, since it can replace all of
// them. Methods are called with `Reflect.apply`, because `call` and `bind` can be replaced too; and nothing here uses
// `for … of` or spread, which call a replaceable iterator.
export const { apply, construct, deleteProperty, defineProperty, getPrototypeOf } = Reflect;
export const { isArray } = Array;

/** A method as a function of its object. */
export function uncurryThis<This, Args extends unknown[], Result>(
  method: (this: This, ...args: Args) => Result,
): (self: This, ...args: Args) => Result {
  return (self, ...args) => apply(method, self, args) as Result;
}

/** The getter of a property as a function of its object. */
export function uncurryGetter<This extends object, Name extends keyof This>(
  prototype: This,
  name: Name,
): (self: This) => This[Name] {
  return uncurryThis(Object.getOwnPropertyDescriptor(prototype, name)!.get!) as (self: This) => This[Name];
}

export const startsWith = uncurryThis(String.prototype.startsWith);
export const slice = uncurryThis(String.prototype.slice);
