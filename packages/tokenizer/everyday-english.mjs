// Writes plain English sentences, the same ones for the same seed: `node everyday-english.mjs [SEED]`. Words and
// patterns are our own, so what is counted from them is too. See src/english-bytes.ts.
const words = (text) => text.trim().split(/\s+/);

const people = words(`
  man woman boy girl child mother father sister brother son daughter friend teacher doctor nurse farmer driver writer
  reader student player singer worker king queen prince soldier captain sailor hunter baker cook painter judge lawyer
  neighbor stranger guest visitor leader member officer scientist engineer artist uncle aunt cousin grandmother
  grandfather husband wife baby people family team group class company government army crowd`);
const animals = words(`
  cat dog horse cow sheep bird fish mouse rat fox wolf bear lion tiger rabbit chicken duck goose pig goat frog snake
  bee spider monkey elephant eagle owl whale turtle donkey deer dragon`);
const things = words(`
  house door window room table chair bed wall floor roof kitchen garden tree flower grass leaf forest river lake sea
  ocean mountain hill valley road street bridge city town village country island school hospital church shop store
  market office station train bus car truck boat ship plane bicycle wheel engine machine computer phone screen camera
  picture book page letter word story song paper pencil pen box bag basket bottle cup glass plate knife fork spoon bread
  butter cheese milk water tea coffee sugar salt apple orange banana lemon cake soup meat rice egg potato tomato dinner
  breakfast lunch shirt coat dress hat shoe button pocket ring gold silver money coin price key lock clock watch light
  lamp fire smoke wood stone rock sand snow ice rain wind storm cloud sky sun moon star earth world summer winter spring
  autumn morning evening night day week month year minute hour game ball toy music dance film party gift letter question
  answer idea plan problem reason result example number line point part piece side end beginning middle corner top
  bottom front back thing place way matter kind sort form shape size color sound noise voice face head hand arm leg foot
  eye ear nose mouth hair heart body blood bone skin mind dream memory name language sentence model network system
  program function pattern signal message byte token patch vector matrix weight layer attention sequence value query
  history science art law power peace war trade law rule test exercise lesson newspaper television radio internet map
  journey holiday business job work service product customer information knowledge experience education health
  medicine energy nature weather temperature distance direction difference importance chance choice change`);
const places = words(`
  garden kitchen forest city village school market river station street house mountain harbor library park field
  hospital theater museum office factory airport beach castle bridge island tower restaurant hotel square`);
const adjectives = words(`
  old young new good bad big small large little long short tall high low deep wide narrow thick thin heavy light dark
  bright hot cold warm cool dry wet clean dirty quiet loud soft hard easy difficult simple strange beautiful ugly happy
  sad angry tired hungry busy free full empty open closed rich poor strong weak fast slow early late quick lazy brown
  red green blue white black yellow gray golden silver broken lost hidden secret strange funny serious careful clever
  stupid brave afraid proud kind gentle honest polite famous important special different similar same other next last
  first second third great wonderful terrible sweet bitter fresh sharp round flat straight wooden modern ancient common
  rare possible impossible necessary useful dangerous safe sick healthy ready certain clear whole half single double
  public private local national foreign human natural perfect friendly lonely sudden various several`);
const pasts = words(`
  saw found took gave made wanted liked loved needed used bought sold brought carried held kept lost broke opened closed
  painted wrote read drew built cleaned washed cut moved pushed pulled threw caught dropped lifted counted followed
  watched heard remembered forgot understood learned studied taught showed sent received answered asked called changed
  chose started finished stopped tried visited left entered crossed passed reached touched turned covered filled
  collected discovered explained described measured compared noticed expected enjoyed hated believed trusted helped
  saved protected wore ate drank cooked tasted shared offered promised ordered paid won`);
const presents = words(`
  see find take give make want like love need use buy sell bring carry hold keep lose break open close paint write read
  draw build clean wash cut move push pull throw catch drop lift count follow watch hear remember forget understand learn
  study teach show send receive answer ask call change choose start finish stop try visit leave enter cross pass reach
  touch turn cover fill collect discover explain describe measure compare notice expect enjoy hate believe trust help
  save protect wear eat drink cook taste share offer promise order pay win`);
const motions = words(`
  walked ran went came jumped climbed fell flew swam rode drove traveled hurried returned moved looked waited stood sat
  slept lived worked played sang danced laughed cried smiled talked spoke shouted stayed rested turned`);
const adverbs = words(`
  quickly slowly quietly loudly carefully suddenly happily sadly finally usually often always never sometimes again soon
  early late today yesterday together alone already almost really certainly probably perhaps easily hardly nearly
  immediately exactly especially`);
const prepositions = words(`
  in on at under over behind beside near through across along around inside outside between into from toward above below
  beyond past against without`);
const names = words(`
  Anna Ben Clara David Emma Frank Grace Henry Isabel Jack Kate Leo Maria Nina Oscar Paul Rosa Sam Tom Victor Alice Peter
  John Mary James Sarah George Martin Lucy Daniel Sophie London Paris Berlin Rome Tokyo Africa America Europe Asia China
  India France Germany Spain Italy England
  English French Spanish German`);
const weekdays = words("Monday Tuesday Wednesday Thursday Friday Saturday Sunday");
const months = words(`
  January February March April May June July August September October November December`);
const numbers = words(`
  one two three four five six seven eight nine ten eleven twelve twenty thirty forty fifty hundred thousand many few
  some several 2 3 5 10 12 24 60 100 365 1000 1984 2001 2024`);

/** A text of about 600 kB. */
export function everydayEnglish(seed) {
  // Mulberry32, Tommy Ettinger (2017), public domain.
  let state = seed | 0;
  const random = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const pick = (list) => list[Math.floor(random() * list.length)];
  // Words in front of a list are more frequent, as some words are in any language.
  const often = (list) => list[Math.floor(random() ** 1.6 * list.length)];
  const maybe = (chance, text) => (random() < chance ? text() : "");
  const a = (word) => `${/^[aeiou]/.test(word) ? "an" : "a"} ${word}`;
  const plural = (noun) =>
    /(people|fish|sheep|deer|information|knowledge|rice|bread|money)$/.test(noun)
      ? noun
      : noun.endsWith("man")
        ? noun.replace(/man$/, "men")
        : /(s|sh|ch|x)$/.test(noun)
          ? `${noun}es`
          : /[^aeiou]y$/.test(noun)
            ? noun.replace(/y$/, "ies")
            : noun === "child"
              ? "children"
              : `${noun}s`;

  const noun = () => often(pick([people, animals, things, things, things]));
  const nounPhrase = () => {
    const said = maybe(0.4, () => `${often(adjectives)} `) + noun();
    return pick([
      () => `the ${said}`,
      () => `the ${said}`,
      () => a(said),
      () => `${pick(["my", "your", "his", "her", "its", "our", "their", "this", "that", "every"])} ${said}`,
      () => `${pick(["the", "these", "those", "some", "all", "many", pick(numbers)])} ${plural(said)}`,
    ])();
  };
  const subject = () =>
    pick([
      () => pick(["he", "she", "they", "we", "I", "it", "you", "everyone", "nobody", "someone"]),
      () => pick(names),
      () => `the ${maybe(0.4, () => `${often(adjectives)} `)}${often(pick([people, animals]))}`,
      nounPhrase,
    ])();
  const where = () =>
    `${pick(prepositions)} the ${maybe(0.3, () => `${often(adjectives)} `)}${often(pick([places, things]))}`;
  const when = () =>
    pick([
      () =>
        pick([
          "today",
          "yesterday",
          "tomorrow",
          "in the morning",
          "at night",
          "last year",
          "for a long time",
          "every day",
        ]),
      () => `on ${pick(weekdays)}`,
      () => `in ${pick(months)} ${pick(numbers.slice(-4))}`,
      () =>
        `${pick(numbers)} ${pick(["days", "years", "hours", "minutes", "weeks"])} ${pick(["later", "ago"])}`,
    ])();
  const clause = () =>
    pick([
      () => `${subject()} ${often(pasts)} ${nounPhrase()}`,
      () => `${subject()} ${often(motions)} ${where()}`,
      () => `${subject()} ${often(motions)} ${pick(adverbs)}`,
      () => `${subject()} ${pick(adverbs)} ${often(pasts)} ${nounPhrase()} ${where()}`,
      () => `there ${pick(["was", "is"])} ${a(`${often(adjectives)} ${noun()}`)} ${where()}`,
      () =>
        `${nounPhrase()} ${pick(["was", "is", "seemed", "became", "looked"])} ${maybe(0.3, () => pick(["very ", "so ", "too ", "not ", "quite "]))}${often(adjectives)}`,
      () =>
        `${pick(["I", "you", "we", "they"])} ${pick(["can", "will", "would", "could", "should", "must", "may", "do not", "cannot", "want to", "have to"])} ${often(presents)} ${nounPhrase()}`,
      () =>
        `${subject()} ${pick(["said", "thought", "knew", "believed"])} that ${nounPhrase()} ${pick(["was", "would be", "had been"])} ${often(adjectives)}`,
      () =>
        `${nounPhrase()} of ${nounPhrase()} ${pick(["is", "was"])} ${pick(["in", "of", "for", "like", "about"])} ${nounPhrase()}`,
      () => `${pick(names)} and ${pick(names)} went to ${pick([pick(names), `the ${often(places)}`])}`,
    ])();
  const capital = (text) => text[0].toUpperCase() + text.slice(1);
  const sentence = () =>
    capital(
      pick([
        () => `${clause()}.`,
        () => `${clause()} ${when()}.`,
        () => `${clause()}, ${pick(["and", "but", "so", "because", "while", "although"])} ${clause()}.`,
        () => `${pick(["when", "if", "after", "before", "because", "as"])} ${clause()}, ${clause()}.`,
        () => `${when()}, ${clause()}.`,
        () =>
          `${pick(["what", "who", "where", "when", "why", "how"])} ${pick(["did", "does", "will", "can", "would"])} ${subject()} ${often(presents)} ${nounPhrase()}?`,
        () => `"${capital(clause())}," ${pick(["said", "asked", "answered", "cried"])} ${pick(names)}.`,
        () =>
          `${subject()} didn't ${often(presents)} ${nounPhrase()}, and that's ${pick(["why", "how", "when"])} ${clause()}.`,
        () =>
          `once upon a time, there was ${a(`${often(adjectives)} ${often(people)}`)} who ${often(pasts)} ${nounPhrase()}.`,
      ])(),
    );

  const paragraphs = Array.from({ length: 2400 }, () =>
    Array.from({ length: 2 + Math.floor(random() * 6) }, sentence).join(" "),
  );
  return `${paragraphs.join("\n\n")}\n`;
}

if (process.argv[1] && import.meta.url === (await import("node:url")).pathToFileURL(process.argv[1]).href) {
  process.stdout.write(everydayEnglish(Number(process.argv[2] ?? 1)));
}
