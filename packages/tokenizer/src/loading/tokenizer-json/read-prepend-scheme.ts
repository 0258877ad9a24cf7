import type { JsonField } from "../json-field.js";

const schemes = { always: "always", first: "first", never: "never" } as const;

/** `prepend_scheme` of a `Metaspace` step; older files have `add_prefix_space`. */
export const readPrependScheme = (field: JsonField): keyof typeof schemes =>
  field
    .get("prepend_scheme")
    .choice(schemes, field.get("add_prefix_space").boolean(true) ? "always" : "never");
