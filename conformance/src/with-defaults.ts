/** A case's attributes over the defaults of what it runs. `null` is how JSON writes an attribute that was left alone. */
export const withDefaults = (
  defaults: Readonly<Record<string, unknown>>,
  given: Readonly<Record<string, unknown>>,
): Record<string, unknown> => ({
  ...defaults,
  ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null)),
});
