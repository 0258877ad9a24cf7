// The code of a changed example lives in the link: #code.NAME=… behind the page's address, beside those of other
// examples. A hash is never sent to a server.

/** The code that a link carries for an example, if it does. Damaged code counts as none. */
export function codeFromHash(hash: string, name: string): string | undefined {
  const packed = new URLSearchParams(hash.replace(/^#/, "")).get(`code.${name}`);
  if (packed === null) return undefined;
  try {
    const bytes = Uint8Array.from(atob(packed.replaceAll("-", "+").replaceAll("_", "/")), (c) =>
      c.charCodeAt(0),
    );
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** The hash with an example's code put in, or taken out when it is `undefined`. A heading's hash gives way to code. */
export function hashWithCode(hash: string, name: string, code: string | undefined): string {
  const entries = new URLSearchParams(hash.replace(/^#/, ""));
  const others = [...entries].filter(([key]) => key.startsWith("code.") && key !== `code.${name}`);
  if (code !== undefined) others.push([`code.${name}`, pack(code)]);
  if (others.length > 0) return `#${new URLSearchParams(others)}`;
  return code === undefined && !entries.has(`code.${name}`) ? hash : "";
}

function pack(code: string): string {
  const letters = Array.from(new TextEncoder().encode(code), (byte) => String.fromCharCode(byte)).join("");
  return btoa(letters).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
