// The code and the controls of a changed example in a link: #code.NAME=…&set.NAME=… after the page's address, together
// with those of other examples. A hash is never sent to a server.

/** The code for an example in a link, if any. Damaged or too long code is ignored. */
export function codeFromHash(hash: string, name: string): string | undefined {
  return unpack(new URLSearchParams(hash.replace(/^#/, "")).get(`code.${name}`));
}

/** Values for the controls of an example in a link: numbers and texts by label. */
export function valuesFromHash(hash: string, name: string): Record<string, number | string> {
  try {
    const text = unpack(new URLSearchParams(hash.replace(/^#/, "")).get(`set.${name}`));
    const value: unknown = JSON.parse(text ?? "{}");
    const entries = Object.entries(value as Record<string, unknown>);
    return Object.fromEntries(
      entries.filter((entry): entry is [string, number | string] =>
        ["number", "string"].includes(typeof entry[1]),
      ),
    );
  } catch {
    return {};
  }
}

/** Limits: a page highlights and shows the contents of a link before anybody has read them. */
const mostPacked = 100_000;

function unpack(packed: string | null): string | undefined {
  if (packed === null || packed.length > mostPacked) return undefined;
  try {
    const bytes = Uint8Array.from(atob(packed.replaceAll("-", "+").replaceAll("_", "/")), (c) =>
      c.charCodeAt(0),
    );
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/**
 * The hash with an example's code and values added, or removed if they are the page's own. Those of other examples are kept;
 * the hash of a heading is replaced.
 */
export function hashWith(
  hash: string,
  name: string,
  state: { code?: string | undefined; values?: Readonly<Record<string, number | string>> },
): string {
  const entries = [...new URLSearchParams(hash.replace(/^#/, ""))];
  const isOurs = ([key]: [string, string]) => /^(code|set|example)\b/.test(key);
  const next = entries.filter(
    (entry) => isOurs(entry) && ![`code.${name}`, `set.${name}`].includes(entry[0]),
  );
  if (state.code !== undefined) next.push([`code.${name}`, pack(state.code)]);
  if (state.values && Object.keys(state.values).length > 0)
    next.push([`set.${name}`, pack(JSON.stringify(state.values))]);
  if (next.length > 0) return `#${new URLSearchParams(next)}`;
  return entries.some(isOurs) ? "" : hash;
}

function pack(code: string): string {
  const letters = Array.from(new TextEncoder().encode(code), (byte) => String.fromCharCode(byte)).join("");
  return btoa(letters).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
