// Expands a template with choices to a sentence.
//
//   (a|b|c)   one of these, which may contain choices
//   [text]    the text or nothing
//   {name}    the entry of the scene, else one of the words with that name

/**
 * @param text - The template.
 * @param scene - Texts by name that are the same throughout a story.
 * @param words - Lists of words by name.
 * @param random - Returns numbers from 0 to below 1.
 */
export function expand(text, scene, words, random) {
  const choose = (list) => list[Math.floor(random() * list.length)];
  const write = (parts) => parts.map(part).join("");
  const part = (node) => {
    if (typeof node === "string") return node;
    if ("choices" in node) return write(choose(node.choices));
    if ("maybe" in node) return random() < 0.5 ? write(node.maybe) : "";
    const found = scene[node.name] ?? words[node.name];
    if (found === undefined) throw new Error(`nothing is called {${node.name}}: ${text}`);
    return write(parse(Array.isArray(found) ? choose(found) : found));
  };
  return capitalized(write(parse(text)));
}

const parsed = new Map();

function parse(text) {
  if (!parsed.has(text)) parsed.set(text, sequence(text, { at: 0 }, ""));
  return parsed.get(text);
}

/** Parses parts up to one of the ending characters, which is not consumed. */
function sequence(text, place, ends) {
  const parts = [];
  while (place.at < text.length && !ends.includes(text[place.at])) {
    const sign = text[place.at];
    if (sign === "{") {
      const end = text.indexOf("}", place.at);
      parts.push({ name: text.slice(place.at + 1, end) });
      place.at = end + 1;
    } else if (sign === "[") {
      place.at += 1;
      parts.push({ maybe: sequence(text, place, "]") });
      place.at += 1;
    } else if (sign === "(") {
      const choices = [];
      do {
        place.at += 1;
        choices.push(sequence(text, place, "|)"));
      } while (text[place.at] === "|");
      parts.push({ choices });
      place.at += 1;
    } else {
      const rest = /^[^{[(|)\]]+/.exec(text.slice(place.at))[0];
      parts.push(rest);
      place.at += rest.length;
    }
  }
  return parts;
}

/** Normalizes spaces, chooses "a" or "an", and capitalizes the first word of sentences. */
function capitalized(text) {
  return text
    .replace(/\s+/g, " ")
    .replace(/ ([.,!?])/g, "$1")
    .trim()
    .replace(/\b([Aa]) (?=[aeiou])/g, "$1n ")
    .replace(/^"?[a-z]/, (start) => start.toUpperCase())
    .replace(/[.!?]"? "?[a-z]/g, (start, at, all) =>
      isAttribution(start, all, at) ? start : start.toUpperCase(),
    );
}

/** True if the following words say who spoke: `"Where is it?" she asked`. */
const isAttribution = (start, all, at) =>
  /^[!?]" [a-z]$/.test(start) &&
  /^(asked|said|called|cried|shouted|whispered|he |she |the )/.test(all.slice(at + 3));
