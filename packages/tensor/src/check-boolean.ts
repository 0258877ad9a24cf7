import { refuse } from "@qkv/core";

/** Refuses an option that is not a boolean. Any other value would be read as true or false. */
export function checkBoolean(fn: string, argument: string, value: unknown): void {
  if (typeof value !== "boolean") refuse(fn, argument, value, "a boolean", "give true or false.");
}
