/** A case's attributes over the defaults of its operation. In JSON, `null` is an absent attribute. */
export const withDefaults = (
  defaults: Readonly<Record<string, unknown>>,
  given: Readonly<Record<string, unknown>>,
): Record<string, unknown> => ({
  ...defaults,
  ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null)),
});
