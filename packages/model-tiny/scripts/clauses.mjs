// Sentences of one or two clauses with random words and correct grammar.
import { boys, girls, words } from "./words.mjs";
import { expand } from "./grammar.mjs";
import { picker } from "./random.mjs";

const list = (text) => text.trim().split(/\s*,\s*/);

const people = list(
  `man, woman, boy, girl, child, teacher, doctor, farmer, baker, king, queen, neighbor, driver, student, friend, writer,
   singer, soldier, judge, captain, hunter, painter, nurse, guest, thief, mother, father`,
);
const creatures = list(
  `dog, cat, horse, bird, mouse, fox, bear, rabbit, wolf, cow, duck, fish, frog, bee, lion, snake, spider, sheep`,
);
const objects = list(
  `book, letter, apple, cake, chair, table, window, door, car, house, picture, key, coat, stone, flower, tree, bread,
   bottle, basket, song, story, clock, mirror, knife, candle, rope, wheel, ticket, newspaper, pencil, box, bridge, ship,
   suitcase, trophy, phone, computer, glass, bag, shirt, ladder, carpet, lamp`,
);
const places = list(
  `in the kitchen, in the garden, near the river, behind the house, on the hill, at the station, in the street,
   under the bridge, at school, in the forest, on the roof, by the sea, in the city, in the village, at the market,
   in the old house, next to the church, on the mat, on the sofa, in the box, in the bank, on the river bank`,
);
const personal = list(
  `tall, old, young, kind, rich, poor, clever, brave, quiet, tired, hungry, happy, angry, strong`,
);
const lively = list(
  `big, small, black, white, brown, wild, hungry, fast, quiet, old, young, lazy, quick, gray`,
);
const material = list(
  `red, old, new, heavy, small, big, broken, green, beautiful, expensive, cheap, clean, dirty, long`,
);

/** Verbs in present, past and infinitive, with and without an object. */
const acts = list(
  `see saw seen, find found found, take took taken, like liked liked, want wanted wanted, buy bought bought,
   carry carried carried, hold held held, lose lost lost, break broke broken, paint painted painted, draw drew drawn,
   build built built, clean cleaned cleaned, move moved moved, push pushed pushed, keep kept kept, need needed needed,
   bring brought brought, sell sold sold, hide hid hidden, remember remembered remembered, forget forgot forgotten,
   steal stole stolen, touch touched touched, drop dropped dropped, open opened opened, choose chose chosen`,
).map((forms) => forms.split(" "));
const meetings = list(
  `see saw seen, help helped helped, know knew known, love loved loved, follow followed followed, hear heard heard,
   watch watched watched, call called called, meet met met, trust trusted trusted, find found found,
   thank thanked thanked, remember remembered remembered, visit visited visited, ask asked asked`,
).map((forms) => forms.split(" "));
const chases = list(
  `chase chased chased, see saw seen, bite bit bitten, hear heard heard, follow followed followed, catch caught caught,
   watch watched watched, like liked liked, fear feared feared`,
).map((forms) => forms.split(" "));
const motions = list(
  `walk walked, run ran, sleep slept, sit sat, wait waited, sing sang, dance danced, cry cried, laugh laughed,
   work worked, play played, stand stood, live lived, stay stayed, swim swam, rest rested`,
).map((forms) => forms.split(" "));

/** A noun phrase: its text, its pronouns, and whether it is singular. */
function someone(random, kind) {
  const pick = picker(random);
  if (kind === "thing") {
    const name = pick(objects);
    const many = random() < 0.2;
    const described = random() < 0.6 ? `${pick(material)} ${name}` : name;
    return {
      text: many ? `the ${plural(described)}` : `(the|a) ${described}`,
      name,
      it: many ? "they" : "it",
      many,
    };
  }
  if (kind === "person" && random() < 0.4) {
    const girl = random() < 0.5;
    const name = pick(girl ? girls : boys);
    return { text: name, name, it: girl ? "she" : "he", many: false };
  }
  const name = pick(kind === "person" ? people : creatures);
  const many =
    random() < 0.2 && !["fish", "sheep", "child", "man", "woman", "mouse", "thief", "wolf"].includes(name);
  const described = random() < 0.5 ? `${pick(kind === "person" ? personal : lively)} ${name}` : name;
  const she = ["woman", "girl", "queen", "mother"].includes(name);
  const it = many ? "they" : kind === "person" ? (she ? "she" : "he") : "it";
  return { text: many ? `the ${plural(described)}` : `(the|a) ${described}`, name, it, many };
}

const plural = (name) => {
  if (/(s|x|ch|sh)$/.test(name)) return `${name}es`;
  if (/[^aeiou]y$/.test(name)) return `${name.slice(0, -1)}ies`;
  if (name.endsWith("knife")) return `${name.slice(0, -2)}ves`;
  return `${name}s`;
};
const third = (verb) =>
  /[^aeiou]y$/.test(verb)
    ? `${verb.slice(0, -1)}ies`
    : /(s|x|ch|sh|go)$/.test(verb)
      ? `${verb}es`
      : `${verb}s`;

/** Writes one line. */
export function clauses(random) {
  const pick = picker(random);
  const chance = (p) => random() < p;
  const kind = pick(["person", "person", "creature"]);
  const who = someone(random, kind);
  const whom = someone(random, kind === "creature" ? "creature" : pick(["thing", "thing", "person"]));
  const verbs = kind === "creature" ? chases : objects.includes(whom.name) ? acts : meetings;
  const [base, past, done] = pick(verbs);
  const [was, are] = [(one) => (one.many ? "were" : "was"), (one) => (one.many ? "are" : "is")];
  const quality = (one) => {
    const kinds = objects.includes(one.name) ? material : creatures.includes(one.name) ? lively : personal;
    return pick(kinds.filter((word) => !one.text.includes(word)));
  };
  const [motion, moved] = pick(motions);
  const place = pick(places);
  const it = (one) => (one.many ? "them" : { she: "her", he: "him", it: "it" }[one.it]);
  const rest = [
    () => ``,
    () => ` ${place}`,
    () => ` because ${whom.it} ${was(whom)} (too |very |so |)${quality(whom)}`,
    () => ` because ${who.it} ${was(who)} (too |very |so |)${quality(who)}`,
    () => `, but ${someone(random, "person").text} did not`,
    () => ` when ${someone(random, "person").text} ${moved} ${place}`,
    () => ` and ${moved} ${place}`,
    () => `, (so|and then) ${someone(random, "person").text} ${moved} ${place}`,
    () => ` before ${who.it} ${moved} ${place}`,
    () => ` although ${whom.it} ${was(whom)} ${quality(whom)}`,
  ];
  const forms = [
    () => `${who.text} ${past} ${whom.text}${pick(rest)()}.`,
    () => `${who.text} ${past} ${whom.text}${pick(rest)()}.`,
    () => `${who.text} did not ${base} ${whom.text}${pick(rest)()}.`,
    () =>
      `${who.text} ${who.many ? base : third(base)} ${whom.text} (every day|every {day}|again and again|${place}).`,
    () => `${who.text} will ${base} ${whom.text} (tomorrow|soon|next week|on {day}).`,
    () => `${whom.text} ${was(whom)} ${done} by ${who.text}.`,
    () => `${who.text} that ${past} ${whom.text} ${was(who)} ${quality(who)}.`,
    () => `${whom.text} that ${who.text} ${past} ${was(whom)} ${quality(whom)}.`,
    () => `did ${who.text} ${base} ${whom.text}? (Yes, ${who.it} did.|No, ${who.it} did not.)`,
    () => `${who.text} can ${base} ${whom.text}, but ${someone(random, "person").text} can not.`,
    () => `(If|When) ${who.text} ${who.many ? base : third(base)} ${whom.text}, ${who.it} ${are(who)} happy.`,
    () => `where ${are(who)} ${who.text}? ${who.it} ${are(who)} ${place}.`,
    () => `${who.text} ${moved} ${place}. Then ${who.it} ${past} ${whom.text}.`,
    () =>
      `${who.text} has ${done} ${whom.text}[ and ${someone(random, "thing").text}].`.replace(
        " has ",
        who.many ? " have " : " has ",
      ),
    () => `(I|We|You|They) ${motion} ${place} {time}, (and|but) ${who.text} ${past} ${whom.text}.`,
    () =>
      `"(I|We|You) ${past} ${whom.text}," said ${who.text}. "(Give ${it(whom)} to me|Look at ${it(whom)}|Where ${are(whom)} ${whom.it} now|I know)${pick([".", "!"])}"`,
  ];
  const line = () => expand(pick(forms)(), {}, words, random);
  return chance(0.3) ? `${line()} ${line()}` : line();
}
