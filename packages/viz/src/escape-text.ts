const names: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/** Text as it may stand in XML, between tags or in an attribute. What XML cannot hold at all becomes `�`. */
export function escapeText(text: string): string {
  return text.replace(notXml, "\u{fffd}").replace(/[&<>"']/g, (character) => names[character] as string);
}

// Control characters other than tab and line ends, halves of pairs, and two non-characters: XML 1.0, section 2.2.
// eslint-disable-next-line no-control-regex
const notXml = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/gu;
