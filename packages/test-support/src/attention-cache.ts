import type { Cache } from "@qkv/attention-contract";

const unused = (method: string) => (): never => {
  throw new Error(`the plain cache of a test has no \`${method}\``);
};

/** The methods that an attention layer with keys and values of its own does not call, for plain caches of tests. */
export const unusedMethods: Pick<Cache, "read" | "state" | "advance"> = {
  read: unused("read"),
  state: unused("state"),
  advance: unused("advance"),
};
