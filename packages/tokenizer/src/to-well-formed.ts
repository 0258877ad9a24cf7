/** `text` with U+FFFD for each lone surrogate; of the same length. */
export function toWellFormed(text: string): string {
  return anySurrogate.test(text) ? text.replace(loneSurrogate, "\uFFFD") : text;
}

const anySurrogate = /[\uD800-\uDFFF]/;
const loneSurrogate = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g;
